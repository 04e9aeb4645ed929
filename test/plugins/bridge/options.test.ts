/** What the options do to the links: mtu, hairpin, promiscuous mode, isolation, a container's side that stays down, detection of duplicates. */
import { afterEach, describe, expect, test } from 'bun:test';
import { createContainer, inNetns, ip } from '../../support/container.ts';
import { check, failure } from '../../support/plugin.ts';
import { ping } from '../../support/traffic.ts';
import {
  type Attached,
  addressesOf,
  attach,
  detachAll,
  link,
  network,
  portOf,
  staticIpam,
} from './network.ts';

afterEach(detachAll);

test('mtu: bridge and both sides have it, and packets of that size pass', async () => {
  const config = network({ mtu: 1400, isGateway: true });
  const { container, hostName, call } = await attach(config);
  expect(await link(undefined, config.bridge)).toMatchObject({ mtu: 1400 });
  expect(await link(undefined, hostName)).toMatchObject({ mtu: 1400 });
  expect(await link(container.netns, 'eth0')).toMatchObject({ mtu: 1400 });
  const pingWith = (size: number) =>
    inNetns(container.netns, ['ping', '-c1', '-W1', '-Mdo', `-s${size}`, config.gateway4]);
  expect((await pingWith(1400 - 28)).exitCode).toBe(0);
  expect((await pingWith(1401 - 28)).exitCode).not.toBe(0);
  await check(call);
});

test('an mtu that no veth has is an error that says so, and nothing is left', async () => {
  const config = network({ mtu: 10 });
  const container = createContainer();
  const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
  expect(error.msg).toMatch(/mtu|create/);
  expect(await ip(container.netns, 'link', 'show', 'type', 'veth')).toEqual([]);
});

describe('hairpinMode', () => {
  test('off: a frame does not go back by the port that it came in by', async () => {
    const attached = await attach(network());
    expect(await portOf(attached.hostName)).toMatchObject({ hairpin: false, isolated: false });
    expect(await framesToItself(attached)).toBe(0);
  });

  test('on: it does', async () => {
    const attached = await attach(network({ hairpinMode: true }));
    expect(await portOf(attached.hostName)).toMatchObject({ hairpin: true, isolated: false });
    expect(await framesToItself(attached)).toBe(5);
  });
});

/** Sends five frames from the container to its own hardware address by way of the bridge; returns how many came. */
async function framesToItself({ container, result, addresses: [own = ''] }: Attached): Promise<number> {
  const { netns } = container;
  const neighbour = own.replace(/[0-9]+$/, '200');
  const mac = result.interfaces?.[2]?.mac ?? '';
  await inNetns(netns, ['ip', 'neigh', 'add', neighbour, 'lladdr', mac, 'dev', 'eth0']);
  const rules = [
    'add table netdev t',
    'add chain netdev t c { type filter hook ingress device eth0 priority 0; }',
    `add rule netdev t c ip daddr ${neighbour} counter`,
  ];
  for (const rule of rules) expect(await inNetns(netns, ['nft', rule])).toMatchObject({ stderr: '' });
  await inNetns(netns, ['ping', '-n', '-c5', '-i0.02', '-W1', neighbour]);
  const { stdout } = await inNetns(netns, ['nft', 'list', 'table', 'netdev', 't']);
  return Number(/counter packets (\d+)/.exec(stdout)?.[1]);
}

test('promiscMode: the bridge is promiscuous, one that is there already too', async () => {
  const config = network({ promiscMode: true });
  await attach(config);
  expect((await link(undefined, config.bridge))?.['flags']).toContain('PROMISC');
  const other = network({ promiscMode: true });
  await Bun.$`ip link add ${other.bridge} up type bridge`;
  await attach(other);
  expect((await link(undefined, other.bridge))?.['flags']).toContain('PROMISC');
});

test('portIsolation: containers reach their gateway, not each other', async () => {
  const config = network({ portIsolation: true, isGateway: true });
  const [one, two] = [await attach(config), await attach(config)];
  expect(await portOf(one.hostName)).toMatchObject({ isolated: true, hairpin: false });
  expect(await ping(one.container.netns, config.gateway4)).toBe(true);
  expect(await ping(one.container.netns, config.gateway6)).toBe(true);
  for (const address of two.addresses) expect(await ping(one.container.netns, address, 1)).toBe(false);
  // Only isolated ports are kept apart.
  const open = await attach({ ...config, portIsolation: false });
  expect(await ping(open.container.netns, two.addresses[0] ?? '')).toBe(true);
});

test('disableContainerInterface: the container side is there and stays down', async () => {
  const config = network({ disableContainerInterface: true, ipam: undefined });
  const { container, result, call } = await attach(config);
  expect(result.interfaces).toHaveLength(3);
  expect((await link(container.netns, 'eth0'))?.['flags']).not.toContain('UP');
  await check(call);
});

/** The addresses that cannot be used yet. The link's own, link-local one may come a moment later than the others. */
function tentative(netns: string) {
  return ip(netns, '-6', 'address', 'show', 'dev', 'eth0', 'tentative', 'scope', 'global');
}

describe('enabledad', () => {
  test('ADD returns when detection is done, with addresses that can be used', async () => {
    const { container } = await attach(network({ enabledad: true }));
    expect(await tentative(container.netns)).toEqual([]);
    const setting = await inNetns(container.netns, ['sysctl', '-n', 'net.ipv6.conf.eth0.accept_dad']);
    expect(setting.stdout.trim()).toBe('1');
  });

  test('an address that a neighbour has is an error that names it, and nothing is left', async () => {
    const base = network();
    const ipam = staticIpam([`${base.gateway6}7/64`]);
    await attach({ ...base, ipam });
    const container = createContainer();
    const config = { ...base, enabledad: true, ipam };
    const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
    expect(error.msg).toContain(`${base.gateway6}7`);
    expect(error.msg).toContain('duplicate address detection');
    expect(await link(container.netns, 'eth0')).toBeUndefined();
    expect(await ip(undefined, 'link', 'show', 'master', base.bridge)).toHaveLength(1);
  });

  test('off: an address can be used at once', async () => {
    const { container } = await attach(network());
    const setting = await inNetns(container.netns, ['sysctl', '-n', 'net.ipv6.conf.eth0.accept_dad']);
    expect(setting.stdout.trim()).toBe('0');
    expect(await tentative(container.netns)).toEqual([]);
  });
});

test('IPv6 that is turned off in the namespace is turned on for the interface', async () => {
  const container = createContainer();
  await inNetns(container.netns, ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1']);
  await inNetns(container.netns, ['sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
  const config = network({ isGateway: true });
  await attach(config, { container });
  expect(await addressesOf(container.netns, 'eth0')).toHaveLength(2);
  expect(await ping(container.netns, config.gateway6)).toBe(true);
});

test('neighbours hear at once who has an address now', async () => {
  const base = network();
  const [four, six] = [`${base.gateway4}7`, `${base.gateway6}7`];
  const config = { ...base, ipam: staticIpam([`${four}/24`, `${six}/64`]) };
  const observer = await attach({
    ...base,
    ipam: staticIpam([`${base.gateway4}8/24`, `${base.gateway6}8/64`]),
  });
  const first = await attach(config);
  for (const address of [four, six]) expect(await ping(observer.container.netns, address)).toBe(true);
  await Bun.$`ip link delete ${first.hostName}`;
  const second = await attach(config);
  const mac = second.result.interfaces?.[2]?.mac;
  await Bun.sleep(100);
  const known = [
    ...(await ip(observer.container.netns, 'neigh')),
    ...(await ip(observer.container.netns, '-6', 'neigh')),
  ];
  for (const address of [four, six]) {
    expect(known.find(({ dst }) => dst === address)).toMatchObject({ lladdr: mac ?? '' });
  }
});
