/** Links as the kernel tells them, against `ip -j link`; errors with what the kernel says. */
// packages: iproute2
import { afterEach, describe, expect, test } from 'bun:test';
import { rtnetlink as r } from '../../src/kernel/index.ts';
import { iproute, show } from './iproute.ts';
import { connection, link, mac, removeLinks } from './links.ts';

afterEach(removeLinks);

/** What of a link's JSON is looked at here. */
interface IpLink {
  readonly linkinfo?: { readonly info_kind?: string };
}

describe('reading', () => {
  test('by name, by index, all, and by kind and master; nothing where there is none', async () => {
    await iproute('ip link add sw1 type bridge');
    await iproute('ip link add v1 type veth peer name v2');
    await iproute('ip link set v1 master sw1');
    const [bridge, v1] = [link('sw1'), link('v1')];
    expect(v1).toMatchObject({ master: bridge.index, masterKind: 'bridge', kind: 'veth' });
    expect(r.getLink(connection, v1.index)).toEqual(v1);
    expect(r.getLink(connection, 'nowhere')).toBeUndefined();
    expect(r.getLink(connection, 99_999)).toBeUndefined();
    const names = (filter?: r.LinkFilter) => r.listLinks(connection, filter).map(({ name }) => name);
    expect(names()).toEqual(expect.arrayContaining(['lo', 'sw1', 'v1', 'v2']));
    expect(names({ master: bridge.index })).toEqual(['v1']);
    expect(names({ kind: 'veth' }).sort()).toEqual(['v1', 'v2']);
    const listed = (await show('ip link show')) as { ifname: string }[];
    expect(names().sort()).toEqual(listed.map(({ ifname }) => ifname).sort());
  });

  test('by an alternative name, also one that is too long to be a name', async () => {
    await iproute('ip link add v1 type veth peer name v2');
    for (const name of ['v1-other', 'v1-with-a-name-that-is-long']) {
      await iproute(`ip link property add dev v1 altname ${name}`);
      expect(r.getLink(connection, name)?.name).toBe('v1');
    }
    expect(r.getLink(connection, 'v2-with-a-name-that-is-long')).toBeUndefined();
  });

  test('what `ip -j -d link` says of each link', async () => {
    await iproute('ip link add sw1 up mtu 1450 type bridge');
    await iproute(`ip link add v1 address ${mac} up alias text master sw1 type veth peer name v2`);
    await iproute('ip link set v2 up promisc on');
    for (const { name } of r.listLinks(connection)) {
      const [wanted] = (await show(`ip -d link show dev ${name}`)) as Record<string, unknown>[];
      const found = link(name);
      const flags = wanted?.flags as string[];
      expect({
        mtu: found.mtu,
        mac: found.mac,
        state: found.operState.toUpperCase(),
        alias: found.alias,
        queue: found.txQueueLength,
        promiscuity: found.promiscuity,
        kind: found.kindName,
        up: found.flags.up,
        promisc: found.flags.promisc,
        lowerUp: found.flags.lowerUp,
        master: found.master === undefined ? undefined : r.getLink(connection, found.master)?.name,
      }).toEqual({
        mtu: wanted?.mtu,
        mac: wanted?.address ?? '',
        state: wanted?.operstate,
        alias: wanted?.ifalias,
        queue: wanted?.txqlen ?? 0,
        promiscuity: wanted?.promiscuity,
        kind: (wanted as IpLink | undefined)?.linkinfo?.info_kind,
        up: flags.includes('UP'),
        promisc: flags.includes('PROMISC'),
        lowerUp: flags.includes('LOWER_UP'),
        master: wanted?.master,
      } as never);
    }
  });
});

describe('errors carry the operation and what the kernel says', () => {
  test.each([
    ['a link that is not there', () => r.deleteLink(connection, 'nowhere'), 'delete link nowhere', 'ENODEV'],
    [
      'a name that is taken',
      () => r.createLink(connection, { name: 'lo', kind: 'bridge' }),
      'create bridge link lo',
      'EEXIST',
    ],
    [
      'an MTU that the driver does not take',
      () => r.createLink(connection, { name: 'tested', kind: 'bridge', mtu: 10 }),
      'create bridge link tested',
      'EINVAL',
    ],
    [
      'a MAC that is a group address',
      () => r.createLink(connection, { name: 'tested', kind: 'veth', mac: '01:00:00:00:00:01' }),
      'create veth link tested',
      'EADDRNOTAVAIL',
    ],
    [
      'a parent that is not there',
      () => r.createLink(connection, { name: 'tested', kind: 'macvlan', parent: 99_999 }),
      'create macvlan link tested',
      'ENODEV',
    ],
    [
      'a master that is none',
      () => r.changeLink(connection, 'lo', { master: 99_999 }),
      'set master 99999 on link lo',
      'EINVAL',
    ],
  ] as const)('%s', (_, call, operation, code) => {
    const failure = failureOf(call);
    expect(failure).toMatchObject({ operation, code });
  });

  test("the extended acknowledgement is in the error's text", () => {
    const failure = failureOf(() => r.createLink(connection, { name: 'tested', kind: 'bridge', mtu: 10 }));
    expect(failure.message).toBe(
      'create bridge link tested: invalid argument (EINVAL): the kernel says “mtu less than device minimum”',
    );
  });

  function failureOf(call: () => void): Error {
    try {
      call();
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error('no failure');
  }
});
