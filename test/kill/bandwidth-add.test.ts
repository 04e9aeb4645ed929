/** bandwidth after bridge, killed in ADD. */
// packages: strace
// seconds: 240
import { limited } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(limited);
