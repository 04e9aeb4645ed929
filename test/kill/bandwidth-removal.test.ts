/** bandwidth after bridge, killed in DEL and GC. */
// packages: strace
import { limited } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(limited);
