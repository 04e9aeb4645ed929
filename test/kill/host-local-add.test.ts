/** host-local by itself, killed in ADD. */
// packages: strace
import { reservations } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(reservations);
