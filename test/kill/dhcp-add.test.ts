/** macvlan with dhcp, killed in ADD: what the daemon has begun for it goes, too. */
// packages: strace iproute2 dnsmasq-base
import { leased, withLeases } from './leases.ts';
import { testKilledAdd } from './recovery.ts';

withLeases();
testKilledAdd(leased);
