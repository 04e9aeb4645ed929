/** bridge with all that it does, killed in ADD. */
// packages: strace
import { full } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(full);
