/** vrf after bridge, killed in DEL and GC. */
// kernels: second
// by name: minutes on the second kernel, where each of a hundred kills starts a process; npm test -- test/kill/vrf-removal.test.ts
// packages: strace
// seconds: 300
import { separate } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(separate);
