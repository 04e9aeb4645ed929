/** tuning after bridge, killed in ADD. */
// packages: strace
// seconds: 240
import { tuned } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(tuned);
