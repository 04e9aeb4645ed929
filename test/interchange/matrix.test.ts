/** Each plugin beside the reference's, live: what one attached the other checks, detaches and collects, and nothing stays. */
// packages: containernetworking-plugins iptables iproute2 nftables
// seconds: 180
import { testExchanges } from './suite.ts';

testExchanges();
