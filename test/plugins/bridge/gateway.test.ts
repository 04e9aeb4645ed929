/** isGateway, isDefaultGateway and forceAddress: whose addresses the bridge has, and where containers send. */
import { afterEach, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { createContainer, ip } from '../../support/container.ts';
import { failure } from '../../support/plugin.ts';
import { ping } from '../../support/traffic.ts';
import { addressesOf, attach, detachAll, link, network } from './network.ts';

afterEach(detachAll);

function forwarding(): string[] {
  const settings = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'];
  return settings.map((name) => readFileSync(`/proc/sys/net/${name}`, 'utf8').trim());
}

test('isGateway: the bridge has the gateway addresses, and forwards', async () => {
  const config = network({ isGateway: true });
  await Bun.$`sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0`;
  const { container } = await attach(config);
  expect(await addressesOf(undefined, config.bridge)).toEqual([
    `${config.gateway4}/24`,
    `${config.gateway6}/64`,
  ]);
  expect(forwarding()).toEqual(['1', '1']);
  expect(await ip(container.netns, 'route', 'show', 'default')).toEqual([]);
});

test('only the families of the network are forwarded', async () => {
  await Bun.$`sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0`;
  const base = network({ isGateway: true });
  await attach({ ...base, ipam: { type: 'host-local', ranges: [[{ subnet: base.subnet4 }]] } });
  expect(forwarding()).toEqual(['1', '0']);
});

test('isDefaultGateway: the container has a default route for each family', async () => {
  const config = network({ isDefaultGateway: true });
  const { container, result } = await attach(config);
  expect(result.routes).toEqual([
    { dst: '0.0.0.0/0', gw: config.gateway4 },
    { dst: '::/0', gw: config.gateway6 },
  ]);
  expect(await ip(container.netns, 'route', 'show', 'default')).toMatchObject([
    { gateway: config.gateway4, dev: 'eth0' },
  ]);
  expect(await ip(container.netns, '-6', 'route', 'show', 'default')).toMatchObject([
    { gateway: config.gateway6, dev: 'eth0' },
  ]);
});

test('isDefaultGateway beside the same route of ipam: there is one', async () => {
  const base = network({ isDefaultGateway: true });
  const ranges = [[{ subnet: base.subnet4 }]];
  const { container, result } = await attach({
    ...base,
    ipam: { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }] },
  });
  expect(result.routes).toEqual([{ dst: '0.0.0.0/0' }]);
  expect(await ip(container.netns, 'route', 'show', 'default')).toMatchObject([{ gateway: base.gateway4 }]);
});

test('a gateway that ipam names is the one that the bridge gets', async () => {
  const base = network({ isDefaultGateway: true });
  const gateway = base.gateway4.replace(/1$/, '99');
  const { container } = await attach({
    ...base,
    ipam: { type: 'host-local', ranges: [[{ subnet: base.subnet4, gateway }]] },
  });
  expect(await addressesOf(undefined, base.bridge)).toEqual([`${gateway}/24`]);
  expect(await ping(container.netns, gateway)).toBe(true);
});

test('several subnets of a family: the bridge is the gateway in each', async () => {
  const base = network({ isGateway: true });
  const other4 = base.subnet4.replace('.0.0/', '.7.0/');
  const other6 = base.subnet6.replace('::/', ':7::/');
  const subnets = [base.subnet4, other4, base.subnet6, other6];
  const config = {
    ...base,
    ipam: { type: 'host-local', ranges: subnets.map((subnet) => [{ subnet }]) },
  };
  const [one, two] = [await attach(config), await attach(config)];
  expect(two.addresses).toHaveLength(4);
  for (const address of two.addresses) expect(await ping(one.container.netns, address)).toBe(true);
  const gateways = (two.result.ips ?? []).map(({ gateway }) => gateway ?? '');
  for (const gateway of gateways) expect(await ping(two.container.netns, gateway)).toBe(true);
});

test('a subnet that is added to a network: the bridge keeps its gateway address and gets the other one', async () => {
  const base = network({ isGateway: true });
  const other = base.subnet4.replace('.0.0/', '.7.0/');
  const withRanges = (...subnets: string[]) => ({
    ...base,
    ipam: { type: 'host-local', ranges: subnets.map((subnet) => [{ subnet }]) },
  });
  const first = await attach(withRanges(base.subnet4));
  await attach(withRanges(base.subnet4, other));
  expect(await addressesOf(undefined, base.bridge)).toEqual([
    `${base.gateway4}/24`,
    other.replace('.0/', '.1/'),
  ]);
  expect(await ping(first.container.netns, base.gateway4)).toBe(true);
});

test('a bridge that has its addresses and others is used as it is', async () => {
  const config = network({ isGateway: true });
  const mac = '02:00:00:00:00:77';
  await Bun.$`ip link add ${config.bridge} address ${mac} type bridge`;
  await Bun.$`ip address add ${config.gateway4}/24 dev ${config.bridge}`;
  await Bun.$`ip address add fd77::1/64 dev ${config.bridge}`;
  await attach(config);
  expect((await addressesOf(undefined, config.bridge)).sort()).toEqual(
    [`${config.gateway4}/24`, 'fd77::1/64', `${config.gateway6}/64`].sort(),
  );
  expect(await link(undefined, config.bridge)).toMatchObject({ address: mac });
});

test.each([
  ['IPv4', '192.168.77.1/24'],
  ['an overlapping IPv6 network', 'fd00::77/16'],
])('a bridge with another address of %s: an error, and nothing is left', async (_what, other) => {
  const config = network({ isGateway: true });
  await Bun.$`ip link add ${config.bridge} type bridge`;
  await Bun.$`ip address add ${other} dev ${config.bridge}`;
  const container = createContainer();
  const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
  expect(error).toMatchObject({ code: 7 });
  expect(error.msg).toContain(`${config.bridge} has the address ${other}`);
  expect(error.details).toContain('forceAddress');
  expect(await link(container.netns, 'eth0')).toBeUndefined();
  expect((await ip(undefined, 'link', 'show', 'master', config.bridge)).length).toBe(0);
});

test('forceAddress replaces what is in the way, and nothing else', async () => {
  const config = network({ isGateway: true, forceAddress: true });
  await Bun.$`ip link add ${config.bridge} type bridge`;
  await Bun.$`ip address add 192.168.78.1/24 dev ${config.bridge}`;
  await Bun.$`ip address add fd78::1/64 dev ${config.bridge}`;
  const { container } = await attach(config);
  expect((await addressesOf(undefined, config.bridge)).sort()).toEqual(
    [`${config.gateway4}/24`, 'fd78::1/64', `${config.gateway6}/64`].sort(),
  );
  expect(await ping(container.netns, config.gateway4)).toBe(true);
});
