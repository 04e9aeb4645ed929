/** Links of every kind that is used here: made like iproute2 makes them, and read. */
// kernels: first, second
// packages: iproute2
import { afterEach, describe, expect } from 'bun:test';
import { rtnetlink as r } from '../../src/kernel/index.ts';
import { testUnless } from '../support/unless.ts';
import { iproute, show, unlessKind } from './iproute.ts';
import { connection, link, mac, peerMac, removeLinks } from './links.ts';

/** A link as it is shown without what follows its carrier: the kernel looks at that some time later (net/core/link_watch.c). */
async function settled(command: string): Promise<unknown[]> {
  const links = (await show(command)) as { flags?: readonly string[]; operstate?: string }[];
  return links.map(({ operstate: _, ...link }) => ({
    ...link,
    flags: link.flags?.filter((flag) => !['NO-CARRIER', 'LOWER_UP'].includes(flag)),
  }));
}

afterEach(removeLinks);

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
    what: 'a veth pair with queues, group and transmit queue',
    command: `ip link add tested txqueuelen 77 address ${mac} group 5 numtxqueues 2 numrxqueues 2 type veth peer name tpeer address ${peerMac}`,
    make: () => ({
      name: 'tested',
      kind: 'veth',
      mac,
      txQueueLength: 77,
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
      const wanted = await settled('ip -d link show tested');
      const ours = link('tested');
      expect(ours).toMatchObject({ name: 'tested', ...read });
      if (ours.kind === 'veth') expect(ours.parent).toBe(link('tpeer').index);
      await iproute('ip link del tested');
      r.createLink(connection, make());
      expect(await settled('ip -d link show tested')).toEqual(wanted);
      expect(link('tested')).toEqual({ ...ours, index: link('tested').index, parent: link('tested').parent });
      r.deleteLink(connection, 'tested');
      expect(r.getLink(connection, 'tested')).toBeUndefined();
    });
  }
});
