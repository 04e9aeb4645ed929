/** Links changed and moved like iproute2 does. */
// packages: iproute2
import { afterEach, describe, expect, test } from 'bun:test';
import { NETLINK_ROUTE, openConnection, openNetns, rtnetlink as r } from '../../src/kernel/index.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { limit } from '../support/sandbox.ts';
import { iproute, settled } from './iproute.ts';
import { connection, link, mac, peerMac, removeLinks } from './links.ts';

afterEach(removeLinks);

describe('changing', () => {
  test(
    'each setting as `ip link set` does',
    async () => {
      const settings: readonly [string, r.LinkSettings][] = [
        ['up', { up: true }],
        ['down', { up: false }],
        ['mtu 1234', { mtu: 1234 }],
        ['address 02:00:00:00:00:07', { mac: '02:00:00:00:00:07' }],
        ['promisc on', { promisc: true }],
        ['allmulticast on', { allMulticast: true }],
        ['multicast off', { multicast: false }],
        ['arp off', { noArp: true }],
        ['txqueuelen 55', { txQueueLength: 55 }],
        ['group 9', { group: 9 }],
        ['alias words', { alias: 'words' }],
        ['master sw1', { master: 0 }],
        ['up', { up: true, mtu: 1400 }],
      ];
      for (const [words, setting] of settings) {
        await iproute('ip link add sw1 type bridge');
        await iproute(`ip link add tested address ${mac} type veth peer name tpeer address ${peerMac}`);
        await iproute(`ip link set tested ${words}${setting.mtu === 1400 ? ' mtu 1400' : ''}`);
        const wanted = await settled('ip -d link show tested');
        await iproute('ip link del tested');
        await iproute(`ip link add tested address ${mac} type veth peer name tpeer address ${peerMac}`);
        r.changeLink(connection, 'tested', setting.master === 0 ? { master: link('sw1').index } : setting);
        expect({ words, seen: await settled('ip -d link show tested') }).toEqual({ words, seen: wanted });
        await iproute('ip link del tested');
        await iproute('ip link del sw1');
      }
    },
    limit(20),
  );

  test('an alias can be set on a link that is there, and not offered to one that is made', () => {
    // @ts-expect-error NewLink has no `alias`: this is what the kernel makes of one.
    r.createLink(connection, { name: 'v1', kind: 'veth', data: { peer: { name: 'v2' } }, alias: 'text' });
    expect(link('v1').alias).toBeUndefined();
    r.changeLink(connection, 'v1', { alias: 'text' });
    expect(link('v1').alias).toBe('text');
  });

  test('out of a bridge, an alias removed, a new name', async () => {
    await iproute('ip link add sw1 type bridge');
    await iproute('ip link add v1 master sw1 type veth peer name v2');
    await iproute('ip link set v1 alias text');
    expect(link('v1').alias).toBe('text');
    r.changeLink(connection, link('v1'), { master: 'none', alias: '' });
    expect(link('v1')).toMatchObject({ master: undefined, alias: undefined });
    const before = link('v1');
    r.renameLink(connection, before, 'other');
    expect(link('other').index).toBe(before.index);
    expect(r.getLink(connection, 'v1')).toBeUndefined();
    // A link's identity still finds it.
    r.changeLink(connection, before, { mtu: 1111 });
    expect(link('other').mtu).toBe(1111);
  });

  test('into another namespace, with a name, a MAC and up in one step', async () => {
    const container = createContainer();
    using netns = disposable(openNetns(container.netns));
    await iproute('ip link add v1 type veth peer name v2');
    r.moveLink(connection, link('v2'), { netns: netns.fd, name: 'eth0', mac, up: true });
    expect(r.getLink(connection, 'v2')).toBeUndefined();
    const inside = openConnection(NETLINK_ROUTE, netns);
    const moved = r.getLink(inside, 'eth0');
    inside.close();
    expect(moved).toMatchObject({ mac, flags: expect.objectContaining({ up: true }) });
    expect(typeof moved?.parentNetnsId).toBe('number');
  });

  test('a veth pair whose other end is made in another namespace', async () => {
    const container = createContainer();
    using netns = disposable(openNetns(container.netns));
    r.createLink(connection, {
      name: 'v1',
      kind: 'veth',
      up: true,
      data: { peer: { name: 'eth0', netns: netns.fd, mac } },
    });
    const inside = openConnection(NETLINK_ROUTE, netns);
    expect(r.getLink(inside, 'eth0')).toMatchObject({ kind: 'veth', mac });
    inside.close();
    removeContainers();
  });

  test('creation, master and port settings in one datagram, by name', async () => {
    await iproute('ip link add sw1 type bridge');
    connection.requestAll([
      r.createLinkRequest({ name: 'v1', kind: 'veth', data: { peer: { name: 'v2' } } }),
      r.changeLinkRequest('v1', { master: link('sw1').index, up: true }),
      r.changeBridgePortRequest('v1', { hairpin: true, isolated: true }),
    ]);
    expect(link('v1')).toMatchObject({ bridgePort: { hairpin: true, isolated: true } });
  });
});

function disposable<T extends { close(): void }>(value: T): T & Disposable {
  return Object.assign(value, { [Symbol.dispose]: () => value.close() });
}
