/** dummy, killed in ADD. */
// kernels: second
// packages: strace
// seconds: 300
import { alone } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(alone);
