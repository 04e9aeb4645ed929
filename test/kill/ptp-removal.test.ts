/** ptp, killed in DEL and GC. */
// packages: strace nftables
import { cabled } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(cabled);
