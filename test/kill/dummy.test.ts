/** dummy, killed in ADD. */
// kernels: second
// packages: strace
import { alone } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(alone);
