/** bridge with static addresses, killed in ADD. */
// packages: strace
import { fixed } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(fixed);
