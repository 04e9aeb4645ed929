/**
 * Tests of plugins may treat the namespaces that they run in as a node of their own, because scripts/sandbox.sh made
 * those for them (`fairlead-plugin test` starts it). Everything here that touches the node asks first.
 */

/** Throws unless this process was started by scripts/sandbox.sh: elsewhere a test would change the machine itself. */
export function requireSandbox(): void {
  if (process.env.FAIRLEAD_SANDBOX === '1') return;
  throw new Error(
    'tests of plugins change the node that they run on, so they run in a sandbox only: `fairlead-plugin test`, as root (in Fairlead itself: npm test -- FILE, or scripts/sandbox.sh COMMAND)',
  );
}

/** How many times slower than the machine itself this kernel is expected to be: FAIRLEAD_TEST_SLOWNESS, 1 if not set. */
export const slowness = Number(process.env.FAIRLEAD_TEST_SLOWNESS ?? '1');

/** A limit in milliseconds, for this many seconds on the machine itself. */
export function limit(seconds: number): number {
  return seconds * 1000 * slowness;
}
