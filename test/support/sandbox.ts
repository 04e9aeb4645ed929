/** Where root tests run: the sandbox of `fairlead/testing`, and the kernels of scripts/test.ts. */
export { limit, requireSandbox, slowness } from '../../src/testing/sandbox.ts';

/** Which kernel the tests run on: `first` is the machine's own, `second` the user-mode one (scripts/second-kernel.ts). */
export const kernel = process.env.FAIRLEAD_TEST_KERNEL === 'second' ? 'second' : 'first';

/** On the second kernel: its first network namespace, where its network cards are, and where they come back to from others. */
export const firstNamespace = `/proc/${process.pid}/fd/9`;
