/** macvlan with dhcp, killed in DEL and GC. */
// packages: strace iproute2 dnsmasq-base
import { leased, withLeases } from './leases.ts';
import { testKilledRemoval } from './recovery.ts';

withLeases();
testKilledRemoval(leased);
