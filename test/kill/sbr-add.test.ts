/** sbr after bridge, killed in ADD. */
// packages: strace
// seconds: 240
import { routed } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(routed);
