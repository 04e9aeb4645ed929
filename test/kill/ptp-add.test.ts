/** ptp, killed in ADD. */
// packages: strace nftables
import { cabled } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(cabled);
