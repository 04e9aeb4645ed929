/** The exchanges of links that the machine's own kernel has not. */
// packages: containernetworking-plugins iptables iproute2 nftables
// kernels: second
// seconds: 120
import { testExchanges } from './suite.ts';

testExchanges();
