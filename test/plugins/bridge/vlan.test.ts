/** vlan, vlanTrunk and preserveDefaultVlan, with frames: whom a container reaches, and the vlans of its port. */
// kernels: second
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createContainer, inNetns, ip } from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { add, check, failure } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';
import { addressesOf, attach, detachAll, link, network, staticIpam } from './network.ts';

afterEach(detachAll);
beforeEach(async () => {
  // A gateway interface of an earlier test is a veth too, and gone with them; bridges stay.
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'bridge')) {
    await Bun.$`ip link delete ${String(ifname)}`;
  }
});

/** A port's vlans as `bridge` tells them: `5 PVID Egress Untagged`, `7`, `10-12`. */
async function vlansOf(name: string): Promise<string[]> {
  const all = JSON.parse(await output(['bridge', '-j', '-compressvlans', 'vlan', 'show', 'dev', name]));
  const [found] = all as { vlans?: { vlan: number; vlanEnd?: number; flags?: string[] }[] }[];
  return (found?.vlans ?? []).map(({ vlan, vlanEnd, flags = [] }) =>
    [vlanEnd === undefined ? `${vlan}` : `${vlan}-${vlanEnd}`, ...flags].join(' '),
  );
}

const own = (vlan: number) => `${vlan} PVID Egress Untagged`;

/** Containers of one bridge and one subnet, with the keys of each. */
async function inOneSubnet(...each: Record<string, unknown>[]) {
  const base = network();
  const attached = [];
  for (const [index, keys] of each.entries()) {
    const ipam = staticIpam([`${base.gateway4}${index}/24`, `${base.gateway6}${index}/64`]);
    attached.push(await attach({ ...base, ipam, ...keys }));
  }
  return attached;
}

test(
  'containers of one vlan reach each other, and nobody of another vlan or of none',
  async () => {
    const [five, alsoFive, six, none] = await inOneSubnet({ vlan: 5 }, { vlan: 5 }, { vlan: 6 }, {});
    const from = five?.container.netns;
    for (const address of alsoFive?.addresses ?? []) expect(await ping(from, address)).toBe(true);
    for (const other of [six, none]) expect(await ping(from, other?.addresses[0] ?? '', 1)).toBe(false);
    expect(await vlansOf(five?.hostName ?? '')).toEqual([own(5)]);
    expect(await vlansOf(none?.hostName ?? '')).toEqual([own(1)]);
    for (const each of [five, six, none]) if (each) await check(each.call);
  },
  limit(20),
);

test('preserveDefaultVlan keeps the default vlan beside the own one', async () => {
  const [one] = await inOneSubnet({ vlan: 5, preserveDefaultVlan: true });
  expect((await vlansOf(one?.hostName ?? '')).sort()).toEqual(['1 Egress Untagged', own(5)]);
});

describe('vlanTrunk', () => {
  test(
    'its vlans are tagged, what has no tag is in vlan 1',
    async () => {
      const vlanTrunk = [{ id: 7 }, { minID: 10, maxID: 12 }, { id: 11 }];
      const [trunk, seven, eight, one] = await inOneSubnet({ vlanTrunk }, { vlan: 7 }, { vlan: 8 }, {});
      if (!trunk || !seven || !eight || !one) throw new Error('four containers were to be attached');
      expect(await vlansOf(trunk.hostName)).toEqual([own(1), '7', '10-12']);
      expect(await ping(trunk.container.netns, one.addresses[0] ?? '')).toBe(true);
      expect(await ping(trunk.container.netns, seven.addresses[0] ?? '', 1)).toBe(false);
      const { netns } = trunk.container;
      for (const [id, address] of [
        [7, '10.99.7.1/24'],
        [8, '10.99.8.1/24'],
      ] as const) {
        await inNetns(netns, ['ip', 'link', 'add', `v${id}`, 'link', 'eth0', 'type', 'vlan', 'id', `${id}`]);
        await inNetns(netns, ['ip', 'address', 'add', address, 'dev', `v${id}`]);
        await inNetns(netns, ['ip', 'link', 'set', `v${id}`, 'up']);
      }
      await inNetns(seven.container.netns, ['ip', 'address', 'add', '10.99.7.2/24', 'dev', 'eth0']);
      await inNetns(eight.container.netns, ['ip', 'address', 'add', '10.99.8.2/24', 'dev', 'eth0']);
      expect(await ping(netns, '10.99.7.2')).toBe(true);
      expect(await ping(netns, '10.99.8.2', 1)).toBe(false);
      await check(trunk.call);
    },
    limit(20),
  );

  test('beside a vlan of its own', async () => {
    const [one] = await inOneSubnet({ vlan: 5, vlanTrunk: [{ minID: 4, maxID: 6 }] });
    expect(await vlansOf(one?.hostName ?? '')).toEqual(['4', own(5), '6']);
    if (one) await check(one.call);
  });

  test('all of them', async () => {
    const [one] = await inOneSubnet({ vlanTrunk: [{ minID: 1, maxID: 4094 }] });
    expect(await vlansOf(one?.hostName ?? '')).toEqual([own(1), '2-4094']);
  });
});

describe('the gateway of a vlan', () => {
  test(
    'is an interface BRIDGE.VLAN of the node, in the result too, and only its vlan reaches it',
    async () => {
      const config = network({ vlan: 100, isDefaultGateway: true });
      const [one, two] = [await attach(config), await attach(config)];
      const name = `${config.bridge}.100`;
      const gateway: IpObject = (await link(undefined, name)) ?? {};
      expect(one.result.interfaces?.[3]).toEqual({ name, mac: String(gateway['address']) });
      expect(await addressesOf(undefined, name)).toEqual([`${config.gateway4}/24`, `${config.gateway6}/64`]);
      expect(await addressesOf(undefined, config.bridge)).toEqual([]);
      for (const address of [config.gateway4, config.gateway6, ...two.addresses]) {
        expect(await ping(one.container.netns, address)).toBe(true);
      }
      for (const address of one.addresses) expect(await ping(undefined, address)).toBe(true);
      const ipam = staticIpam([`${config.gateway4}9/24`]);
      const other = await attach({ ...config, vlan: 101, isDefaultGateway: false, ipam });
      expect(await ping(other.container.netns, config.gateway4, 1)).toBe(false);
      for (const each of [one, two, other]) await check(each.call);
      expect(await vlansOf(String((await portOfGateway(name))['ifname']))).toEqual([own(100)]);
    },
    limit(20),
  );

  test('a vlan that a killed ADD did not give to its port is given by the next one', async () => {
    const config = network({ vlan: 100, isGateway: true });
    await attach(config);
    const { ifname } = await portOfGateway(`${config.bridge}.100`);
    await Bun.$`bridge vlan delete dev ${String(ifname)} vid 100`;
    await Bun.$`ip link set ${config.bridge}.100 down`;
    const { container } = await attach(config);
    expect(await ping(container.netns, config.gateway4)).toBe(true);
  });

  test(
    'many ADDs at once make one',
    async () => {
      const config = network({ vlan: 100, isGateway: true });
      const containers = Array.from({ length: 6 }, () => createContainer());
      const results = await Promise.all(
        containers.map((container) => add({ plugin: 'bridge', config, container })),
      );
      expect(new Set(results.map(({ interfaces }) => interfaces?.[3]?.mac)).size).toBe(1);
      const ports = await ip(undefined, 'link', 'show', 'master', config.bridge);
      expect(ports).toHaveLength(containers.length + 1);
      for (const { netns } of containers) expect(await ping(netns, config.gateway4)).toBe(true);
    },
    limit(20),
  );

  test('a link of its name that is something else is an error', async () => {
    const config = network({ vlan: 100, isGateway: true });
    await Bun.$`ip link add ${config.bridge}.100 type dummy`;
    const error = await failure({
      plugin: 'bridge',
      command: 'ADD',
      config,
      container: createContainer(),
      ifname: 'eth0',
    });
    expect(error).toMatchObject({ code: 7 });
    expect(error.msg).toContain(
      `${config.bridge}.100 exists and leads to no port of bridge ${config.bridge}`,
    );
    await Bun.$`ip link delete ${config.bridge}.100`;
  });
});

/** The port of the bridge that a gateway's interface leads to. */
async function portOfGateway(name: string): Promise<IpObject> {
  const peer = (await link(undefined, name))?.['link'];
  const port = (await ip(undefined, 'link')).find(({ ifname }) => ifname === peer);
  if (port === undefined) throw new Error(`${name} leads to no link`);
  return port;
}

test('a bridge that is there without vlan filtering gets it', async () => {
  const config = network({ vlan: 5 });
  await Bun.$`ip link add ${config.bridge} type bridge`;
  await attach(config);
  const { linkinfo } = (await link(undefined, config.bridge)) ?? {};
  expect(linkinfo).toMatchObject({ info_data: { vlan_filtering: 1 } });
});

test.each([
  ['a vlan of a trunk', 'vid 7', /does not let vlan 7 through/],
  ['the own vlan', 'vid 5', /does not let vlan 5 through.*has not vlan 5 as its own/],
])('CHECK names %s that is missing', async (_what, vid, message) => {
  const [one] = await inOneSubnet({ vlan: 5, vlanTrunk: [{ id: 7 }] });
  if (!one) throw new Error('a container was to be attached');
  await Bun.$`bridge vlan delete dev ${one.hostName} ${vid.split(' ')}`;
  const error = await failure({ ...one.call, command: 'CHECK', ifname: 'eth0' });
  expect(`${error.msg}; ${error.details}`).toMatch(message);
});
