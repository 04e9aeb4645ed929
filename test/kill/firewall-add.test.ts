/** firewall after bridge, killed in ADD. */
// packages: strace
// seconds: 300
import { guarded } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(guarded);
