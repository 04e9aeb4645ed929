/** sbr after bridge, killed in DEL and GC. */
// packages: strace
import { routed } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(routed);
