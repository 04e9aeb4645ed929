/** bridge with all that it does, killed in DEL and GC. */
// packages: strace
import { full } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(full);
