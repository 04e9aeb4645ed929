/** tuning after bridge, killed in DEL and GC. */
// packages: strace
import { tuned } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(tuned);
