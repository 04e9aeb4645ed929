/**
 * Root tests may treat the namespaces that they run in as a node of their own, because scripts/sandbox.sh made
 * those for them. Everything here that touches the node asks first.
 */

/** Throws unless this process was started by scripts/sandbox.sh: elsewhere a test would change the machine itself. */
export function requireSandbox(): void {
  if (process.env.FAIRLEAD_SANDBOX === '1') return;
  throw new Error('root tests run in a sandbox only: npm test -- FILE, or scripts/sandbox.sh COMMAND');
}

/** How many times slower than the machine itself this kernel is expected to be: the second kernel has one slow core. */
export const slowness = Number(process.env.FAIRLEAD_TEST_SLOWNESS ?? '1');

/** Which kernel the tests run on: `first` is the machine's own, `second` the user-mode one (scripts/second-kernel.ts). */
export const kernel = process.env.FAIRLEAD_TEST_KERNEL === 'second' ? 'second' : 'first';

/** A limit in milliseconds, for this many seconds on the machine itself. */
export function limit(seconds: number): number {
  return seconds * 1000 * slowness;
}
