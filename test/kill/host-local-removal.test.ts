/** host-local by itself, killed in DEL and GC. */
// packages: strace
import { reservations } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(reservations);
