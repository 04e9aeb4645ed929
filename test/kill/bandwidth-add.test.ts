/** bandwidth after bridge, killed in ADD. */
// packages: strace
import { limited } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(limited);
