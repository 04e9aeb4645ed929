/** firewall after bridge, killed in DEL and GC. */
// packages: strace
// seconds: 100
import { guarded } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(guarded);
