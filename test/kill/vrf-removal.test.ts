/** vrf after bridge, killed in DEL and GC. */
// kernels: second
// packages: strace
// seconds: 300
import { separate } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(separate);
