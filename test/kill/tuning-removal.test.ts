/** tuning after bridge, killed in DEL and GC. */
// packages: strace
// seconds: 240
import { tuned } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(tuned);
