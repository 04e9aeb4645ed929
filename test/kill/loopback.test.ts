/** loopback, killed in ADD. */
// packages: strace
import { loopback } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(loopback);
