/** dummy, killed in ADD. */
// kernels: second
// by name: minutes on the second kernel, where each of a hundred kills starts a process; npm test -- test/kill/dummy.test.ts
// packages: strace
// seconds: 300
import { alone } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(alone);
