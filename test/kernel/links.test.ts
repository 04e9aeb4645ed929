/** Links of every kind that is used here: made like iproute2 makes them, read like it reads them. */
// kernels: first, second
// packages: iproute2
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import {
  type Connection,
  NETLINK_ROUTE,
  openConnection,
  openNetns,
  rtnetlink as r,
} from '../../src/kernel/index.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { testUnless } from '../support/unless.ts';
import { iproute, settled, show, unlessKind, until } from './iproute.ts';

let connection: Connection;
beforeAll(() => {
  connection = openConnection(NETLINK_ROUTE);
});
afterEach(async () => {
  removeContainers();
  const kept = /^(lo|.*0)$/;
  for (const { name, kind } of r.listLinks(connection)) {
    // Fallback tunnels of the kernel's own (tunl0, sit0) cannot be deleted.
    if (kind !== undefined || !kept.test(name)) await iproute(`ip link del ${name}`).catch(() => undefined);
  }
});
afterAll(() => connection.close());

const mac = '02:00:00:00:00:01';
const peerMac = '02:00:00:00:00:02';

/** What of a link's JSON is looked at here. */
interface IpLink {
  readonly linkinfo?: { readonly info_kind?: string };
}

/** The link that must be there. */
function link(name: string): r.Link {
  const found = r.getLink(connection, name);
  if (found === undefined) throw new Error(`no link ${name}`);
  return found;
}

const noVlan = await unlessKind('vlan');
const noIpvlan = await unlessKind('ipvlan');
const noDummy = await unlessKind('dummy');

/** How iproute2 makes it, how we do, and what reading it says besides the name. */
const kinds: readonly {
  readonly what: string;
  readonly reason?: string | undefined;
  readonly command: string;
  readonly make: () => r.NewLink;
  readonly read: Partial<r.Link>;
}[] = [
  {
    what: 'a bridge',
    command: `ip link add tested address ${mac} type bridge`,
    make: () => ({ name: 'tested', kind: 'bridge', mac }),
    read: { kind: 'bridge', flags: expect.objectContaining({ up: false }) },
  },
  {
    what: 'a bridge with options, up',
    command: `ip link add tested address ${mac} mtu 1400 up type bridge stp_state 1 priority 4096 ageing_time 12000 forward_delay 500 group_fwd_mask 8 mcast_snooping 0 nf_call_iptables 1`,
    make: () => ({
      name: 'tested',
      kind: 'bridge',
      mac,
      mtu: 1400,
      up: true,
      data: {
        stpState: 1,
        priority: 4096,
        ageingTime: 12000,
        forwardDelay: 500,
        groupForwardMask: 8,
        multicastSnooping: false,
        callIptables: true,
      },
    }),
    read: { kind: 'bridge', mac, mtu: 1400, flags: expect.objectContaining({ up: true }) },
  },
  {
    what: 'a veth pair',
    command: `ip link add tested address ${mac} mtu 1400 type veth peer name tpeer address ${peerMac} mtu 1300`,
    make: () => ({
      name: 'tested',
      kind: 'veth',
      mac,
      mtu: 1400,
      data: { peer: { name: 'tpeer', mac: peerMac, mtu: 1300 } },
    }),
    read: { kind: 'veth', mac, mtu: 1400 },
  },
  {
    what: 'a veth pair with queues, group, alias and transmit queue',
    command: `ip link add tested txqueuelen 77 address ${mac} alias hello group 5 numtxqueues 2 numrxqueues 2 type veth peer name tpeer address ${peerMac}`,
    make: () => ({
      name: 'tested',
      kind: 'veth',
      mac,
      txQueueLength: 77,
      alias: 'hello',
      group: 5,
      txQueues: 2,
      rxQueues: 2,
      data: { peer: { name: 'tpeer', mac: peerMac } },
    }),
    read: { kind: 'veth', txQueueLength: 77, group: 5 },
  },
  ...(['private', 'vepa', 'bridge', 'passthru', 'source'] as const).map((mode) => ({
    what: `a macvlan, mode ${mode}`,
    command: `ip link add link base name tested address ${mac} type macvlan mode ${mode}`,
    make: (): r.NewLink => ({
      name: 'tested',
      kind: 'macvlan',
      mac,
      parent: link('base').index,
      data: { mode },
    }),
    read: { kind: 'macvlan', data: expect.objectContaining({ mode }) } as Partial<r.Link>,
  })),
  {
    what: 'a macvlan with a broadcast queue',
    command: `ip link add link base name tested address ${mac} type macvlan mode bridge bcqueuelen 500`,
    make: () => ({
      name: 'tested',
      kind: 'macvlan',
      mac,
      parent: link('base').index,
      data: { mode: 'bridge', broadcastQueueLength: 500 },
    }),
    read: { kind: 'macvlan', data: expect.objectContaining({ broadcastQueueLength: 500 }) },
  },
  {
    what: 'an ifb',
    command: `ip link add tested address ${mac} type ifb`,
    make: () => ({ name: 'tested', kind: 'ifb', mac }),
    read: { kind: 'ifb' },
  },
  {
    what: 'a dummy',
    reason: noDummy,
    command: `ip link add tested address ${mac} type dummy`,
    make: () => ({ name: 'tested', kind: 'dummy', mac }),
    read: { kind: 'dummy' },
  },
  {
    what: 'a vlan',
    reason: noVlan,
    command: `ip link add link base name tested type vlan id 4094`,
    make: () => ({ name: 'tested', kind: 'vlan', parent: link('base').index, data: { id: 4094 } }),
    read: { kind: 'vlan', data: expect.objectContaining({ id: 4094, protocol: 0x8100 }) },
  },
  {
    what: 'a vlan of a provider',
    reason: noVlan,
    command: `ip link add link base name tested type vlan id 5 protocol 802.1ad reorder_hdr off`,
    make: () => ({
      name: 'tested',
      kind: 'vlan',
      parent: link('base').index,
      data: { id: 5, protocol: 0x88a8, flags: { bits: 0, mask: 1 } },
    }),
    read: { kind: 'vlan', data: expect.objectContaining({ id: 5, protocol: 0x88a8 }) },
  },
  ...(['l2', 'l3', 'l3s'] as const).map((mode) => ({
    what: `an ipvlan, mode ${mode}, private`,
    reason: noIpvlan,
    command: `ip link add link base name tested type ipvlan mode ${mode} private`,
    make: (): r.NewLink => ({
      name: 'tested',
      kind: 'ipvlan',
      parent: link('base').index,
      data: { mode, isolation: 'private' },
    }),
    read: { kind: 'ipvlan', data: { mode, isolation: 'private' } } as Partial<r.Link>,
  })),
];

describe('kinds', () => {
  for (const { what, reason, command, make, read } of kinds) {
    testUnless(reason)(what, async () => {
      await iproute('ip link add base address 02:00:00:00:00:09 type veth peer name basepeer');
      await iproute(command);
      const wanted = await show('ip -d link show tested');
      const ours = link('tested');
      expect(ours).toMatchObject({ name: 'tested', ...read });
      if (ours.kind === 'veth') expect(ours.parent).toBe(link('tpeer').index);
      await iproute('ip link del tested');
      r.createLink(connection, make());
      expect(await show('ip -d link show tested')).toEqual(wanted);
      expect(link('tested')).toEqual({ ...ours, index: link('tested').index, parent: link('tested').parent });
      r.deleteLink(connection, 'tested');
      expect(r.getLink(connection, 'tested')).toBeUndefined();
    });
  }
});

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

describe('changing', () => {
  test('each setting as `ip link set` does', async () => {
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
  });

  test('out of a bridge, an alias removed, a new name', async () => {
    await iproute('ip link add sw1 type bridge');
    await iproute('ip link add v1 alias text master sw1 type veth peer name v2');
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

describe('bridge ports', () => {
  const settings = [
    ['priority 5', { priority: 5 }],
    ['cost 1234', { cost: 1234 }],
    ['hairpin on', { hairpin: true }],
    ['guard on', { bpduGuard: true }],
    ['root_block on', { rootBlock: true }],
    ['fastleave on', { fastLeave: true }],
    ['learning off', { learning: false }],
    ['flood off', { unicastFlood: false }],
    ['proxy_arp on', { proxyArp: true }],
    ['mcast_flood off', { multicastFlood: false }],
    ['bcast_flood off', { broadcastFlood: false }],
    ['neigh_suppress on', { neighbourSuppress: true }],
    ['isolated on', { isolated: true }],
    ['locked on', { locked: true }],
  ] as const satisfies readonly (readonly [string, r.BridgePortSettings])[];

  test.each(settings)('%s, as `ip link set type bridge_slave` does', async (words, setting) => {
    const make = `ip link add v1 address ${mac} master sw1 type veth peer name v2 address ${peerMac}`;
    await iproute('ip link add sw1 type bridge stp_state 0');
    await iproute(make);
    await iproute(`ip link set v1 type bridge_slave ${words}`);
    const wanted = await show('ip -d link show v1');
    expect(link('v1').bridgePort).toMatchObject(setting);
    await iproute('ip link del v1');
    await iproute(make);
    expect(link('v1').bridgePort).not.toMatchObject(setting);
    r.changeBridgePort(connection, 'v1', setting);
    expect(await show('ip -d link show v1')).toEqual(wanted);
  });

  test('the state, which without spanning tree follows the carrier', async () => {
    await iproute('ip link add sw1 up type bridge');
    await iproute('ip link add v1 master sw1 up type veth peer name v2');
    const states = async () => [
      link('v1').bridgePort?.state,
      ...((await show('bridge -d link show dev v1')) as { state?: string }[]).map(({ state }) => state),
    ];
    await until('disabled', async () => Bun.deepEquals(await states(), ['disabled', 'disabled']));
    await iproute('ip link set v2 up');
    await until('forwarding', async () => Bun.deepEquals(await states(), ['forwarding', 'forwarding']));
  });

  test('a link that is no port: one error', async () => {
    await iproute('ip link add v1 type veth peer name v2');
    expect(() => r.changeBridgePort(connection, 'v1', { hairpin: true })).toThrow(
      'set bridge port options {"hairpin":true} on link v1',
    );
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
