/** tuning after bridge, killed in ADD. */
// packages: strace
import { tuned } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(tuned);
