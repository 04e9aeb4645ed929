/** Routes and DNS that the IPAM plugin gives: in the container, in the result. */
import { afterEach, expect, test } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { check, failure } from '../../support/plugin.ts';
import { attach, detachAll, link, network, staticIpam } from './network.ts';

afterEach(detachAll);

/** The IPv4 routes to a destination in the main table. */
const routesTo = (netns: string, dst: string) => ip(netns, '-d', 'route', 'show', dst);

test('each route has its next hop, its metrics, its priority, its table and its scope', async () => {
  const base = network({ isGateway: true });
  const other = `${base.gateway4}9`;
  const routes = [
    { dst: '192.0.2.0/24' },
    { dst: '198.51.100.0/24', gw: other, mtu: 1300, advmss: 1260, priority: 50 },
    { dst: '203.0.113.0/24', table: 1000 },
    { dst: '203.0.113.128/25', scope: 253 },
    { dst: '2001:db8:1::/48', mtu: 1400, priority: 7, table: 77 },
    { dst: '2001:db8:2::/48', gw: `${base.gateway6}9` },
  ];
  const addresses = [`${base.gateway4}7/24`, `${base.gateway6}7/64`];
  const config = { ...base, ipam: staticIpam(addresses, { routes }) };
  const { container, result, call } = await attach(config);
  expect(result.routes).toEqual(routes);
  const families = ['-4', '-6'].map((family) =>
    ip(container.netns, family, '-d', 'route', 'show', 'table', 'all'),
  );
  const all = (await Promise.all(families)).flat();
  const find = (dst: string) => all.filter((route) => route['dst'] === dst);
  const dev = 'eth0';
  expect(find('192.0.2.0/24')).toMatchObject([{ gateway: base.gateway4, dev, scope: 'global' }]);
  expect(find('198.51.100.0/24')).toMatchObject([
    { gateway: other, dev, metric: 50, metrics: [{ mtu: 1300, advmss: 1260 }] },
  ]);
  expect(find('203.0.113.0/24')).toMatchObject([{ gateway: base.gateway4, dev, table: '1000' }]);
  expect(find('203.0.113.128/25')).toMatchObject([{ dev, scope: 'link' }]);
  expect(find('203.0.113.128/25')[0]).not.toHaveProperty('gateway');
  expect(find('2001:db8:1::/48')).toMatchObject([
    { gateway: base.gateway6, dev, metric: 7, table: '77', metrics: [{ mtu: 1400 }] },
  ]);
  expect(find('2001:db8:2::/48')).toMatchObject([{ gateway: `${base.gateway6}9`, dev }]);
  await check(call);
});

test('without a gateway a route is on the link', async () => {
  const base = network();
  const ipam = staticIpam([`${base.gateway4}7/24`], { routes: [{ dst: '192.0.2.0/24' }] });
  const { container, call } = await attach({ ...base, ipam });
  const [route] = await routesTo(container.netns, '192.0.2.0/24');
  expect(route).toMatchObject({ dev: 'eth0' });
  expect(route).not.toHaveProperty('gateway');
  await check(call);
});

test('two routes to one destination are both there', async () => {
  const base = network({ isGateway: true });
  const routes = [
    { dst: '192.0.2.0/24', gw: `${base.gateway4}8` },
    { dst: '192.0.2.0/24', gw: `${base.gateway4}9` },
  ];
  const config = { ...base, ipam: staticIpam([`${base.gateway4}7/24`], { routes }) };
  const { container } = await attach(config);
  const gateways = (await routesTo(container.netns, '192.0.2.0/24')).map(({ gateway }) => gateway);
  expect(gateways.sort()).toEqual(routes.map(({ gw }) => gw));
});

test('a route whose next hop cannot be reached is an error that names it, and nothing is left', async () => {
  const base = network({ isGateway: true });
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: base.subnet4 }]],
    routes: [{ dst: '192.0.2.0/24', gw: '198.51.100.1' }],
  };
  const container = createContainer();
  const config = { ...base, ipam };
  const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
  expect(error.msg).toContain('add route 192.0.2.0/24 via 198.51.100.1');
  expect(await link(container.netns, 'eth0')).toBeUndefined();
  expect(await ip(undefined, 'link', 'show', 'master', base.bridge)).toEqual([]);
  expect(await Array.fromAsync(new Bun.Glob('10.*').scan(`/var/lib/cni/networks/${base.name}`))).toEqual([]);
});

const dns = {
  nameservers: ['192.0.2.53'],
  domain: 'example.org',
  search: ['example.org'],
  options: ['ndots:5'],
};

test('dns of ipam is in the result, and that of the configuration goes before', async () => {
  const base = network();
  const ipam = staticIpam([`${base.gateway4}7/24`], { dns });
  expect((await attach({ ...base, ipam })).result.dns).toEqual(dns);
  const own = { nameservers: ['192.0.2.54'] };
  expect((await attach({ ...network(), ipam, dns: own })).result.dns).toEqual(own);
});
