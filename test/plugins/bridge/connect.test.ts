/** Containers on one bridge reach each other, and the node where it is their gateway. */
import { afterEach, describe, expect, test } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { eventually } from '../../support/eventually.ts';
import { add } from '../../support/plugin.ts';
import { ping } from '../../support/traffic.ts';
import { addressesOf, attach, detachAll, link, network } from './network.ts';

afterEach(detachAll);

test('two containers and their gateway reach each other, by IPv4 and IPv6', async () => {
  const config = network({ isGateway: true });
  const [one, two] = [await attach(config), await attach(config)];
  for (const address of [...two.addresses, config.gateway4, config.gateway6]) {
    expect(`${address} ${await ping(one.container.netns, address)}`).toBe(`${address} true`);
  }
  for (const address of one.addresses) expect(await ping(undefined, address)).toBe(true);
});

test.each(['IPv4', 'IPv6'] as const)('a network of %s alone', async (family) => {
  const base = network({ isGateway: true });
  const subnet = family === 'IPv4' ? base.subnet4 : base.subnet6;
  const config = { ...base, ipam: { type: 'host-local', ranges: [[{ subnet }]] } };
  const [one, two] = [await attach(config), await attach(config)];
  expect(two.addresses).toHaveLength(1);
  expect(await ping(one.container.netns, two.addresses[0] ?? '')).toBe(true);
  expect(await ping(one.container.netns, family === 'IPv4' ? base.gateway4 : base.gateway6)).toBe(true);
});

test('without a gateway the bridge has no address, and containers reach each other', async () => {
  const config = network();
  const [one, two] = [await attach(config), await attach(config)];
  expect(await addressesOf(undefined, config.bridge)).toEqual([]);
  for (const address of two.addresses) expect(await ping(one.container.netns, address)).toBe(true);
});

test('without ipam the container is on layer 2 alone: up, and without addresses', async () => {
  const config = network({ ipam: undefined });
  const { container, result, hostName } = await attach(config);
  expect(result.ips).toBeUndefined();
  // The kernel looks at a carrier some time later (net/core/link_watch.c), and nothing here had to wait for it.
  await eventually('eth0 is up', async () => (await link(container.netns, 'eth0'))?.['operstate'] === 'UP');
  expect(await addressesOf(container.netns, 'eth0')).toEqual([]);
  expect(await link(undefined, hostName)).toMatchObject({ operstate: 'UP', master: config.bridge });
});

describe('the result', () => {
  test('names bridge, host side and container side, as they are', async () => {
    const config = network({ isGateway: true });
    const { container, result, hostName } = await attach(config);
    const macOf = async (netns: string | undefined, name: string) => (await link(netns, name))?.['address'];
    expect(result.interfaces).toEqual([
      { name: config.bridge, mac: String(await macOf(undefined, config.bridge)) },
      { name: hostName, mac: String(await macOf(undefined, hostName)) },
      { name: 'eth0', mac: String(await macOf(container.netns, 'eth0')), sandbox: container.netns },
    ]);
    expect(hostName).toMatch(/^veth[0-9a-f]{8}$/);
    expect(result.ips).toEqual([
      { address: `${config.gateway4.replace(/1$/, '2')}/24`, gateway: config.gateway4, interface: 2 },
      { address: `${config.gateway6.replace(/1$/, '2')}/64`, gateway: config.gateway6, interface: 2 },
    ]);
    expect((await addressesOf(container.netns, 'eth0')).sort()).toEqual(
      (result.ips ?? []).map(({ address }) => address).sort(),
    );
  });

  test("a bridge that others made, and that takes its ports' addresses, is told as it is at the end", async () => {
    const config = network();
    await Bun.$`ip link add ${config.bridge} type bridge`;
    const { result } = await attach(config);
    expect(result.interfaces?.[0]?.mac).toBe(String((await link(undefined, config.bridge))?.['address']));
  });

  test.each(['0.3.0', '0.3.1', '0.4.0'])('in version %s addresses have their family', async (cniVersion) => {
    const config = network({ cniVersion, isGateway: true });
    const { ips, interfaces } = await add<{ ips: object[]; interfaces: object[] }>({
      plugin: 'bridge',
      config,
      container: createContainer(),
    });
    expect(interfaces).toHaveLength(3);
    expect(ips).toMatchObject([
      { version: '4', interface: 2, gateway: config.gateway4 },
      { version: '6', interface: 2, gateway: config.gateway6 },
    ]);
  });

  test.each(['0.1.0', '0.2.0'])('in version %s there are ip4 and ip6', async (cniVersion) => {
    const config = network({ cniVersion, isDefaultGateway: true });
    const result = await add<object>({ plugin: 'bridge', config, container: createContainer() });
    expect(result).toEqual({
      cniVersion,
      ip4: {
        ip: `${config.gateway4.replace(/1$/, '2')}/24`,
        gateway: config.gateway4,
        routes: [{ dst: '0.0.0.0/0', gw: config.gateway4 }],
      },
      ip6: {
        ip: `${config.gateway6.replace(/1$/, '2')}/64`,
        gateway: config.gateway6,
        routes: [{ dst: '::/0', gw: config.gateway6 }],
      },
      dns: {},
    });
  });
});
