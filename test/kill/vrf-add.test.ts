/** vrf after bridge, killed in ADD. */
// kernels: second
// by name: minutes on the second kernel, where each of a hundred kills starts a process; npm test -- test/kill/vrf-add.test.ts
// packages: strace
// seconds: 300
import { separate } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(separate);
