/** tap, killed in DEL and GC. */
// packages: strace
import { tapped } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(tapped);
