/** firewall on a node that has nothing yet, killed. */
// packages: strace nftables
import { guarded } from './networks.ts';
import { testFirstAdd } from './new-node.ts';

testFirstAdd(guarded);
