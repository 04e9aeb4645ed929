/** dhcp under the plugins whose links only the second kernel has: the interface is there, and up, when it is asked for. */
// packages: dnsmasq-base iproute2 iputils-ping
// kernels: second
import { afterEach, expect, test } from 'bun:test';
import { check, del } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';
import { attach } from './network.ts';
import { startDaemon, startDnsmasq, stopAll, until } from './servers.ts';

afterEach(async () => {
  await stopAll();
  await removeSegment();
});

test.each<['ipvlan' | 'vlan', object, number | undefined, string[]]>([
  // All have the master's hardware address: before one has an address, only broadcasts reach it.
  ['ipvlan', {}, undefined, ['-broadcast']],
  ['vlan', { vlanId: 7 }, 7, []],
])(
  '%s: ADD, CHECK, traffic, DEL',
  async (type, keys, vlan, flags) => {
    await makeSegment(vlan);
    const server = await startDnsmasq(vlan === undefined ? [] : ['--interface=tagged']);
    await startDaemon(flags);
    const { container, call, address } = await attach({}, { more: { type, ...keys } });
    expect(address).toMatch(/^10\.50\.0\./);
    expect(await ping(container.netns, neighbour.ip4)).toBe(true);
    await check(call);
    await del(call);
    await until('dnsmasq saw the release', () => server.count(/DHCPRELEASE/) === 1);
  },
  limit(30),
);
