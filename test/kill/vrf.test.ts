/** vrf after bridge, killed in ADD and DEL. */
// kernels: second
// packages: strace
// seconds: 240
import { separate } from './networks.ts';
import { testKilledAdd, testKilledRemoval } from './recovery.ts';

testKilledAdd(separate);
testKilledRemoval(separate);
