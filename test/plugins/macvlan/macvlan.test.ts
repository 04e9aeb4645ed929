/** macvlan, with packets. */
// packages: iproute2 iputils-ping
// kernels: first, second
// seconds: 90
import { describe, expect, test } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { add, del, failure, type PluginError } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { attach, configOf, neighbour, type Subject, testInterfaceOnMaster } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';

const subject: Subject = {
  plugin: 'macvlan',
  keys: {},
  many: true,
  damages: [
    [
      '@ip link set eth0 type macvlan mode private',
      /the mode of interface eth0 is private, the configuration says bridge/,
    ],
    [
      '@ip link set eth0 address 02:00:00:00:00:01',
      /eth0 has hardware address 02:00:00:00:00:01, the result of ADD says/,
    ],
  ],
  wrong: [
    [
      { mode: 'source' },
      '`mode` of plugin `macvlan` must be "bridge", "private", "vepa", "passthru" or "", got "source"',
    ],
    [{ mac: 'ff:ff:ff:ff:ff:ff' }, '`mac` of plugin `macvlan` must be a unicast hardware address'],
    [{ bcqueuelen: -1 }, '`bcqueuelen` of plugin `macvlan` must be 0–4294967295, got -1'],
    [{ master: 'a/b' }, /`master` of plugin `macvlan`/],
    [{ master: 'lo' }, 'lo takes no macvlan of mode bridge'],
    [{ master: '' }, 'there is no default route on the node to take the interface of'],
  ],
};

testInterfaceOnMaster(subject);

function refusedAdd(keys: object = {}, container = createContainer()): Promise<PluginError> {
  const config = configOf(subject, keys);
  return failure({ plugin: 'macvlan', command: 'ADD', config, container, ifname: 'eth0' });
}

async function dataOf(netns: string): Promise<IpObject> {
  const [link] = await ip(netns, '-d', 'link', 'show', 'eth0');
  return ((link?.linkinfo as IpObject | undefined)?.info_data ?? {}) as IpObject;
}

describe('modes', () => {
  test.each([
    ['', 'bridge', true],
    ['bridge', 'bridge', true],
    ['private', 'private', false],
    // The other host is no reflecting switch.
    ['vepa', 'vepa', false],
  ])(
    '"%s": %s, containers reach each other: %p',
    async (mode, expected, reach) => {
      const [one, other] = [await attach(subject, { mode }), await attach(subject, { mode })];
      expect((await dataOf(one.container.netns)).mode).toBe(expected);
      expect(await ping(one.container.netns, neighbour.ip4)).toBe(true);
      expect(await ping(one.container.netns, other.addresses[0] ?? '', 1)).toBe(reach);
    },
    limit(15),
  );

  test(
    "passthru: the master's hardware address, and no second one",
    async () => {
      const [{ address } = {}] = await ip(undefined, 'link', 'show', 'eth0');
      const one = await attach(subject, { mode: 'passthru' });
      expect(one.result.interfaces?.[0]?.mac).toBe(String(address));
      expect(await ping(one.container.netns, neighbour.ip4)).toBe(true);
      const error = await refusedAdd();
      expect(error).toMatchObject({
        code: 7,
        msg: expect.stringContaining('one in mode passthru is the only one of its master'),
      });
      await del(one.call);
      await attach(subject);
    },
    limit(15),
  );
});

test(
  'layer 2: no IPAM, the interface is up and has no address',
  async () => {
    const { result, container } = await attach(subject, { ipam: undefined });
    expect(Object.keys(result)).toEqual(['cniVersion', 'interfaces']);
    const [link = {}] = await ip(container.netns, 'address', 'show', 'eth0');
    expect(link.flags).toContain('UP');
    expect((link.addr_info as IpObject[]).filter(({ scope }) => scope === 'global')).toEqual([]);
  },
  limit(10),
);

test.each<[string, object, string | undefined, string]>([
  ['the key `mac`', { mac: '02:00:00:00:00:0a' }, undefined, '02:00:00:00:00:0a'],
  ['CNI_ARGS before the key', { mac: '02:00:00:00:00:0a' }, 'MAC=02:00:00:00:00:0b', '02:00:00:00:00:0b'],
  [
    'the capability before all',
    { mac: '02:00:00:00:00:0a', runtimeConfig: { mac: '02:00:00:00:00:0c' } },
    'MAC=02:00:00:00:00:0b',
    '02:00:00:00:00:0c',
  ],
])(
  'hardware address by %s',
  async (_what, keys, args, expected) => {
    const container = createContainer();
    const config = configOf(subject, keys);
    const { interfaces } = await add({ plugin: 'macvlan', config, container, ...(args && { args }) });
    expect(interfaces?.[0]?.mac).toBe(expected);
    const [{ address } = {}] = await ip(container.netns, 'link', 'show', 'eth0');
    expect(address).toBe(expected);
  },
  limit(10),
);

test(
  'bcqueuelen and mtu',
  async () => {
    const { container } = await attach(subject, { bcqueuelen: 5000, mtu: 1400 });
    expect(await dataOf(container.netns)).toMatchObject({ bcqueuelen: 5000 });
    const [{ mtu } = {}] = await ip(container.netns, 'link', 'show', 'eth0');
    expect(mtu).toBe(1400);
  },
  limit(10),
);

test(
  'without `master`: the interface of the default route',
  async () => {
    await Bun.$`ip address add 10.50.0.250/24 dev eth0`.quiet();
    await Bun.$`ip route add default via 10.50.0.1`.quiet();
    const { container } = await attach(subject, { master: '' });
    expect(await ping(container.netns, neighbour.ip4)).toBe(true);
  },
  limit(10),
);

test(
  "an address that the other host has is refused: IPv6's duplicate address detection",
  async () => {
    const ipam = { type: 'static', addresses: [{ address: `${neighbour.ip6}/64` }] };
    const container = createContainer();
    const error = await refusedAdd({ ipam }, container);
    expect(error.msg).toContain('duplicate address detection found fd00:50::1');
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  },
  limit(15),
);

test(
  'an interface that someone has on the node stays out of reach: a port of a bridge takes no macvlan',
  async () => {
    await Bun.$`ip link add br0 type bridge`.quiet();
    await Bun.$`ip link set eth0 master br0`.quiet();
    const error = await refusedAdd();
    expect(error.msg).toContain('no port of a bridge or bond');
  },
  limit(10),
);

test(
  'a hardware address that another container of the master has is refused, and nothing is left',
  async () => {
    const keys = { mac: '02:00:00:00:00:0a' };
    const one = await attach(subject, keys);
    const container = createContainer();
    const error = await refusedAdd(keys, container);
    expect(error.code).toBe(11);
    expect(error.msg).toContain('hardware address 02:00:00:00:00:0a is in use on master eth0');
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(await ping(one.container.netns, neighbour.ip4)).toBe(true);
  },
  limit(10),
);
