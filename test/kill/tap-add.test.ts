/** tap, killed in ADD. */
// packages: strace
import { tapped } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(tapped);
