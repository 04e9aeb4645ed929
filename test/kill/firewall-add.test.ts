/** firewall after bridge, killed in ADD. */
// packages: strace
import { guarded } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(guarded);
