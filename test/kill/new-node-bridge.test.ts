/** bridge on a node that has nothing yet, killed. */
// packages: strace nftables
// seconds: 300
import { full } from './networks.ts';
import { testFirstAdd } from './new-node.ts';

testFirstAdd(full);
