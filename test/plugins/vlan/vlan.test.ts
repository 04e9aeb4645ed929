/** vlan, with packets: the other host has the tag too. */
// packages: iproute2 iputils-ping
// kernels: second
// seconds: 120
import { expect, test } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { failure } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { attach, configOf, neighbour, type Subject, testInterfaceOnMaster } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';

const subject: Subject = {
  plugin: 'vlan',
  keys: { vlanId: 7 },
  // A vlan of a link has one interface in the kernel, wherever that is.
  many: false,
  vlan: 7,
  damages: [
    [
      '@ip link delete eth0; ip link add base type veth; ip link add link base name eth0 type vlan id 8',
      /the vlan of interface eth0 is 8, the configuration says 7/,
    ],
  ],
  wrong: [
    [{ vlanId: -1 }, '`vlanId` of plugin `vlan` must be 0–4094, got -1'],
    [{ vlanId: 4095 }, '`vlanId` of plugin `vlan` must be 0–4094, got 4095'],
    [{ master: '' }, '`master` of plugin `vlan` is missing: it must name the interface whose vlan it is'],
    [{ master: 'a/b' }, /`master` of plugin `vlan`/],
    [{ ipam: undefined }, '`ipam.type` of plugin `vlan` is missing'],
  ],
};

testInterfaceOnMaster(subject);

test(
  'another vlan does not reach the host',
  async () => {
    const { container } = await attach(subject, { vlanId: 8 });
    expect(await ping(container.netns, neighbour.ip4, 1)).toBe(false);
  },
  limit(10),
);

test(
  'a second container in one vlan of one link is refused, and the first keeps its interface',
  async () => {
    const one = await attach(subject);
    const config = configOf(subject);
    const container = createContainer();
    const error = await failure({ plugin: 'vlan', command: 'ADD', config, container, ifname: 'eth0' });
    expect(error).toMatchObject({ code: 11 });
    expect(error.msg).toContain('vlan 7 of eth0 has an interface already, in another container');
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(await ping(one.container.netns, neighbour.ip4)).toBe(true);
  },
  limit(10),
);

test(
  'without vlanId: vlan 0',
  async () => {
    const { container } = await attach(subject, { vlanId: undefined });
    const [link = {}] = await ip(container.netns, '-d', 'link', 'show', 'eth0');
    expect(JSON.stringify(link.linkinfo)).toContain('"id":0');
  },
  limit(10),
);
