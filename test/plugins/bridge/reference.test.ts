/** Beside the reference's bridge: the same results, and each can go on with containers that the other one attached. */
// packages: containernetworking-plugins iptables
import { afterEach, describe, expect } from 'bun:test';
import { ip } from '../../support/container.ts';
import { type AddResult, binDirectory, check, del } from '../../support/plugin.ts';
import { reference, testWithReference } from '../../support/reference.ts';
import { ping } from '../../support/traffic.ts';
import { addressesOf, attach, detachAll, link, type NetworkConfig, network, staticIpam } from './network.ts';

afterEach(detachAll);

const test = testWithReference('bridge');

/** A result with what has to differ taken out: names and hardware addresses of links, the namespace's path. */
function comparable(config: NetworkConfig, result: AddResult): unknown {
  const interfaces = result.interfaces?.map(({ name, mac, sandbox }) => ({
    name: name === config.bridge ? 'BRIDGE' : name.replace(/^veth[0-9a-f]{8}$/, 'HOST'),
    mac: mac === undefined ? undefined : 'MAC',
    sandbox: sandbox === undefined ? undefined : 'SANDBOX',
  }));
  return { dns: {}, ...result, ...(interfaces && { interfaces }) };
}

/**
 * What the container has: its interface, addresses, routes. A link's state and its
 * link-local address may be a moment behind. A route without a
 * next hop has scope link with ours, so that others can lead over it, and global with theirs.
 */
async function insideOf(netns: string): Promise<unknown> {
  const { mtu } = (await link(netns, 'eth0')) ?? {};
  const routes = await Promise.all(
    ['-4', '-6'].map(async (family) =>
      (await ip(netns, family, 'route'))
        .filter(({ dst }) => dst !== 'fe80::/64')
        .map((each) => JSON.stringify({ ...each, flags: [], scope: undefined })),
    ),
  );
  return { mtu, addresses: await addressesOf(netns, 'eth0'), routes: routes.flat().sort() };
}

const addresses = (base: { gateway4: string; gateway6: string }) => [
  `${base.gateway4}7/24`,
  `${base.gateway6}7/64`,
];

describe('the same result and the same state in the container', () => {
  const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'];
  const variants: [string, Record<string, unknown>, object?][] = [
    ...versions.map((cniVersion): [string, Record<string, unknown>] => [
      `version ${cniVersion}`,
      { cniVersion, isDefaultGateway: true },
    ]),
    ['no gateway', {}],
    ['isGateway', { isGateway: true }],
    ['routes', {}, { routes: [{ dst: '192.0.2.0/24' }, { dst: '2001:db8::/32' }] }],
    ['own dns', { dns: { domain: 'example.org' } }, { dns: { nameservers: ['192.0.2.53'] } }],
    ['mtu', { mtu: 1400 }],
    ['hairpin', { hairpinMode: true }],
    ['a hardware address', { runtimeConfig: { mac: '02:00:00:00:00:11' } }],
  ];
  for (const [what, keys, ipamKeys] of variants) {
    test(what, async () => {
      const base = network({ cniVersion: '1.0.0', ...keys });
      const config = { ...base, ipam: staticIpam(addresses(base), ipamKeys) };
      const seen: unknown[] = [];
      for (const directory of [reference, binDirectory]) {
        const { container, result, call } = await attach(config, { binDirectory: directory });
        seen.push({ result: comparable(config, result), inside: await insideOf(container.netns) });
        await del(call);
        await Bun.$`ip link delete ${config.bridge}`;
      }
      expect(JSON.parse(JSON.stringify(seen[1]))).toEqual(JSON.parse(JSON.stringify(seen[0])));
    });
  }
});

describe('a container of the reference', () => {
  const attachByReference = (keys: object = {}) =>
    attach(network({ cniVersion: '1.0.0', isGateway: true, ...keys }), { binDirectory: reference });

  test('reaches one of ours on the same bridge', async () => {
    const theirs = await attachByReference();
    const { prevResult: _, ...config } = theirs.config;
    const ours = await attach(config);
    for (const address of theirs.addresses) expect(await ping(ours.container.netns, address)).toBe(true);
    expect(new Set([...ours.addresses, ...theirs.addresses]).size).toBe(4);
  });

  test('passes our CHECK', async () => {
    const theirs = await attachByReference();
    await check({ ...theirs.call, binDirectory });
  });

  test('is removed by our DEL, with its reservations', async () => {
    const { call, config, hostName } = await attachByReference();
    await del({ ...call, binDirectory });
    expect(await link(undefined, hostName)).toBeUndefined();
    const left = new Bun.Glob('{10.,fd}*').scanSync(`/var/lib/cni/networks/${config.name}`);
    expect([...left]).toEqual([]);
  });

  test("is removed by our DEL without its namespace's path, by the result", async () => {
    const { call, hostName } = await attachByReference();
    await del({ ...call, binDirectory, netns: '' });
    expect(await link(undefined, hostName)).toBeUndefined();
  });
});

describe('a container of ours', () => {
  test("passes the reference's CHECK, and is removed by its DEL", async () => {
    const config = network({ cniVersion: '1.0.0', isDefaultGateway: true });
    const { call, hostName } = await attach(config);
    await check({ ...call, binDirectory: reference });
    await del({ ...call, binDirectory: reference });
    expect(await link(undefined, hostName)).toBeUndefined();
    const left = new Bun.Glob('{10.,fd}*').scanSync(`/var/lib/cni/networks/${config.name}`);
    expect([...left]).toEqual([]);
  });
});
