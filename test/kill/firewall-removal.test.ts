/** firewall after bridge, killed in DEL and GC. */
// packages: strace
import { guarded } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(guarded);
