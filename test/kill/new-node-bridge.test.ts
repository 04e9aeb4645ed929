/** bridge on a node that has nothing yet, killed. */
// packages: strace nftables
import { full } from './networks.ts';
import { testFirstAdd } from './new-node.ts';

testFirstAdd(full);
