/** vrf after bridge, killed in DEL and GC. */
// kernels: second
// packages: strace
import { separate } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(separate);
