/** A network whose addresses a DHCP server leases, with what it needs: the server, the daemon, and the node's link `up0`. */
// packages: strace iproute2 dnsmasq-base
import { afterAll, beforeAll } from 'bun:test';
import { startDaemon, startDnsmasq, stopAll } from '../plugins/dhcp/servers.ts';
import { createContainer, ip } from '../support/container.ts';
import { limit } from '../support/sandbox.ts';
import type { Network } from './chain.ts';

/** Macvlan makes the interface, dhcp gives the address, in one process. */
export const leased: Network = {
  ifname: 'eth0',
  plugins: [{ type: 'macvlan', master: 'up0', ipam: { type: 'dhcp' } }],
};

/** Makes it for the tests of a file. No lease is renewed while they run: that changes its file. */
export function withLeases(): void {
  beforeAll(async () => {
    const { netns } = createContainer('server');
    await ip(
      undefined,
      'link',
      'add',
      'up0',
      'up',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      'server',
    );
    await ip(netns, 'address', 'add', '10.50.0.1/24', 'dev', 'eth0');
    await ip(netns, 'link', 'set', 'eth0', 'up');
    await startDnsmasq(['--dhcp-range=10.50.0.50,10.50.0.250,255.255.255.0,12h'], netns);
    await startDaemon();
  }, limit(30));
  afterAll(stopAll);
}
