/** bridge with all that it does, killed in ADD. */
// packages: strace
// seconds: 300
import { full } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(full);
