/** sbr after bridge, killed in ADD. */
// packages: strace
import { routed } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(routed);
