/** portmap on a node that has nothing yet, killed. */
// packages: strace nftables
import { published } from './networks.ts';
import { testFirstAdd } from './new-node.ts';

testFirstAdd(published);
