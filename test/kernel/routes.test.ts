/** Routes and the rules that choose tables: added, read and deleted like iproute2 does. */
// packages: iproute2
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, NETLINK_ROUTE, openConnection, rtnetlink as r } from '../../src/kernel/index.ts';
import { address, prefix } from '../../src/lib/ip-literal.ts';
import { both, iproute, show } from './iproute.ts';

let connection: Connection;
let v1: r.Link;
let v2: r.Link;
beforeAll(async () => {
  connection = openConnection(NETLINK_ROUTE);
  await iproute('ip link add v1 up type veth peer name v2');
  await iproute('ip link set v2 up');
  await iproute('ip address add 10.1.0.7/16 dev v1');
  await iproute('ip address add fd00::7/64 dev v1 nodad');
  await iproute('ip address add 10.2.0.7/16 dev v2');
  await iproute('ip address add fd02::7/64 dev v2 nodad');
  const [first, second] = [r.getLink(connection, 'v1'), r.getLink(connection, 'v2')];
  if (first === undefined || second === undefined) throw new Error('no links');
  [v1, v2] = [first, second];
});
afterAll(async () => {
  connection.close();
  await iproute('ip link del v1');
});

const dst = prefix('192.0.2.0/24');
const dst6 = prefix('2001:db8::/32');
const gateway = address('10.1.0.1');
const gateway6 = address('fd00::1');

/** Routes that iproute2 writes so; every one goes to one of the two destinations, or is a default route. */
const routes: readonly (readonly [words: string, route: () => r.NewRoute])[] = [
  ['192.0.2.0/24 dev v1', () => ({ dst, oif: v1 })],
  ['192.0.2.0/24 via 10.1.0.1', () => ({ dst, gateway })],
  ['192.0.2.0/24 via 10.1.0.1 dev v1', () => ({ dst, gateway, oif: v1.index })],
  ['default via 10.1.0.1', () => ({ dst: prefix('0.0.0.0/0'), gateway })],
  ['192.0.2.0/24 via 10.1.0.1 metric 5', () => ({ dst, gateway, priority: 5 })],
  ['192.0.2.0/24 via 10.1.0.1 table 100', () => ({ dst, gateway, table: 100 })],
  ['192.0.2.0/24 via 10.1.0.1 table 100000', () => ({ dst, gateway, table: 100_000 })],
  ['192.0.2.0/24 via 10.1.0.1 src 10.1.0.7', () => ({ dst, gateway, prefSrc: address('10.1.0.7') })],
  ['192.0.2.0/24 via 10.1.0.1 mtu 1400 advmss 1360', () => ({ dst, gateway, mtu: 1400, advmss: 1360 })],
  [
    '192.0.2.0/24 via 10.9.9.9 dev v1 onlink',
    () => ({ dst, gateway: address('10.9.9.9'), oif: v1, onlink: true }),
  ],
  ['192.0.2.0/24 dev v1 scope host', () => ({ dst, oif: v1, scope: r.routeScopes.host })],
  ['192.0.2.0/24 dev v1 protocol static', () => ({ dst, oif: v1, protocol: r.routeProtocols.static })],
  ['192.0.2.0/24 via inet6 fd00::1 dev v1', () => ({ dst, gateway: gateway6, oif: v1 })],
  [
    '192.0.2.0/24 nexthop via 10.1.0.1 weight 3 nexthop via 10.2.0.1 weight 1',
    () => ({
      dst,
      nextHops: [
        { gateway, weight: 3 },
        { gateway: address('10.2.0.1'), weight: 1 },
      ],
    }),
  ],
  ['blackhole 192.0.2.0/24', () => ({ dst, type: 'blackhole' })],
  ['unreachable 192.0.2.0/24', () => ({ dst, type: 'unreachable' })],
  ['prohibit 192.0.2.0/24', () => ({ dst, type: 'prohibit' })],
  ['throw 192.0.2.0/24 table 100', () => ({ dst, type: 'throw', table: 100 })],
  ['local 192.0.2.0/24 dev lo table local', () => ({ dst, type: 'local', oif: 1, table: r.localTable })],
  ['2001:db8::/32 dev v1', () => ({ dst: dst6, oif: v1 })],
  ['2001:db8::/32 via fd00::1', () => ({ dst: dst6, gateway: gateway6 })],
  ['default via fd00::1', () => ({ dst: prefix('::/0'), gateway: gateway6 })],
  ['2001:db8::/32 via fe80::1 dev v1', () => ({ dst: dst6, gateway: address('fe80::1'), oif: v1 })],
  ['2001:db8::/32 via fd00::1 metric 5', () => ({ dst: dst6, gateway: gateway6, priority: 5 })],
  ['2001:db8::/32 via fd00::1 table 100000', () => ({ dst: dst6, gateway: gateway6, table: 100_000 })],
  [
    '2001:db8::/32 via fd00::1 src fd00::7',
    () => ({ dst: dst6, gateway: gateway6, prefSrc: address('fd00::7') }),
  ],
  [
    '2001:db8::/32 via fd00::1 mtu 1400 advmss 1360',
    () => ({ dst: dst6, gateway: gateway6, mtu: 1400, advmss: 1360 }),
  ],
  [
    '2001:db8::/32 nexthop via fd00::1 weight 3 nexthop via fd02::1 weight 1',
    () => ({
      dst: dst6,
      nextHops: [
        { gateway: gateway6, weight: 3 },
        { gateway: address('fd02::1'), weight: 1 },
      ],
    }),
  ],
  ['blackhole 2001:db8::/32', () => ({ dst: dst6, type: 'blackhole' })],
];

const isV6 = (words: string) => words.includes('2001:') || words === 'default via fd00::1';
/** Everything but the table of the connected networks. */
const undoOf = (words: string) => `ip route del ${words}`;

describe('added', () => {
  test.each(routes)('%s', async (words, route) => {
    const ip = isV6(words) ? 'ip -6' : 'ip -4';
    const look = `ip ${isV6(words) ? '-6' : '-4'} -d route show table all`;
    const before = await show(look);
    const { wanted, found } = await both(
      `${ip} route add ${words}`,
      () => r.addRoute(connection, route()),
      look,
      undoOf(words).replace(/^ip/, ip),
    );
    expect(found).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(before.length);
  });

  test.each(routes)(
    '%s, read, found by its destination and deleted by what was read',
    async (words, make) => {
      const ip = isV6(words) ? 'ip -6' : 'ip -4';
      await iproute(`${ip} route add ${words}`);
      const wanted = make();
      const [found, ...others] = r.listRoutes(connection, {
        dst: wanted.dst,
        table: wanted.table ?? r.mainTable,
      });
      expect(others).toEqual([]);
      if (found === undefined) throw new Error('not found');
      const { gateway: by, oif, nextHops, type = 'unicast', priority, prefSrc, mtu, advmss, onlink } = wanted;
      expect(found).toMatchObject({
        dst: wanted.dst,
        type,
        ...(by && { gateway: by }),
        ...(oif !== undefined && { oif: typeof oif === 'object' ? oif.index : oif }),
        ...(priority !== undefined && { priority }),
        ...(prefSrc && { prefSrc }),
        ...(mtu !== undefined && { mtu, advmss }),
        ...(nextHops && {
          nextHops: nextHops.map(({ gateway: each, weight }) => ({ gateway: each, weight })),
        }),
        ...(onlink && { flags: { onlink: true } }),
      });
      r.deleteRoute(connection, found);
      expect(r.listRoutes(connection, { dst: wanted.dst })).toEqual([]);
    },
  );
});

test('listed by table, link, protocol and type: the kernel chooses', async () => {
  await iproute('ip route add 192.0.2.0/24 via 10.1.0.1 table 100');
  await iproute('ip route add blackhole 198.51.100.0/24 table 100');
  const list = (filter: r.RouteFilter) =>
    r.listRoutes(connection, filter).map((each) => r.describeRoute(each));
  expect(list({ table: 100 })).toHaveLength(2);
  expect(list({ table: 100, type: 'blackhole' })).toEqual(['blackhole 198.51.100.0/24 table 100']);
  expect(list({ table: 100, oif: v1.index })).toEqual([
    `192.0.2.0/24 via 10.1.0.1 dev with index ${v1.index} table 100`,
  ]);
  expect(list({ table: 100, oif: v2.index })).toEqual([]);
  expect(list({ table: 4711 })).toEqual([]);
  expect(list({ family: 4, protocol: r.routeProtocols.boot })).toHaveLength(2);
  const all = [...(await show('ip -4 route show table all')), ...(await show('ip -6 route show table all'))];
  // iproute2 leaves the cache's entries out; there are none.
  expect(r.listRoutes(connection)).toHaveLength(all.length);
  await iproute('ip route flush table 100');
});

test('EEXIST, ESRCH, ENETUNREACH and ENODEV name the route', () => {
  r.addRoute(connection, { dst, gateway });
  expect(() => r.addRoute(connection, { dst, gateway })).toThrow(
    'add route 192.0.2.0/24 via 10.1.0.1: exists already (EEXIST)',
  );
  r.replaceRoute(connection, { dst, gateway: address('10.1.0.2') });
  expect(r.listRoutes(connection, { dst })).toMatchObject([{ gateway: address('10.1.0.2') }]);
  r.deleteRoute(connection, { dst });
  expect(() => r.deleteRoute(connection, { dst })).toThrow('ESRCH');
  expect(() => r.addRoute(connection, { dst, gateway: address('172.16.0.1') })).toThrow(
    'ENETUNREACH): the kernel says “Nexthop has invalid gateway”',
  );
  expect(() => r.addRoute(connection, { dst, oif: { index: 99_999, name: 'gone' } })).toThrow(
    'add route 192.0.2.0/24 dev gone',
  );
});

describe('asked', () => {
  test.each(['10.1.0.9', '10.2.0.9', '127.0.0.1', 'fd00::9', 'fd02::9', '::1'])('%s', async (text) => {
    const [wanted] = (await show(`ip route get ${text}`)) as { dev?: string; prefsrc?: string }[];
    const found = r.getRoute(connection, address(text));
    const links = r.listLinks(connection);
    expect(links.find(({ index }) => index === found?.oif)?.name).toBe(wanted?.dev ?? '');
    expect(found?.prefSrc).toEqual(address(wanted?.prefsrc ?? ''));
  });

  test('with a mark, through the table that a rule says', async () => {
    await iproute('ip route add 192.0.2.0/24 via 10.2.0.1 table 100');
    await iproute('ip rule add fwmark 7 lookup 100');
    expect(r.getRoute(connection, address('192.0.2.9'))).toBeUndefined();
    expect(r.getRoute(connection, address('192.0.2.9'), { mark: 7 })).toMatchObject({
      table: 100,
      oif: v2.index,
    });
    expect(r.getRoute(connection, address('2001:db8::9'))).toBeUndefined();
    await iproute('ip rule del fwmark 7 lookup 100');
    await iproute('ip route flush table 100');
  });
});

const rules: readonly (readonly [words: string, rule: r.NewRule])[] = [
  ['priority 500 lookup 100', { family: 4, priority: 500, action: 'table', table: 100 }],
  [
    'from 10.0.0.0/8 priority 500 lookup 100000',
    { family: 4, priority: 500, src: prefix('10.0.0.0/8'), action: 'table', table: 100_000 },
  ],
  ['to 192.0.2.0/24 priority 500 lookup 100', { family: 4, priority: 500, dst, action: 'table', table: 100 }],
  ['iif v1 priority 500 lookup 100', { family: 4, priority: 500, iif: 'v1', action: 'table', table: 100 }],
  ['oif v1 priority 500 lookup 100', { family: 4, priority: 500, oif: 'v1', action: 'table', table: 100 }],
  [
    'fwmark 0x10/0xff priority 500 lookup 100',
    { family: 4, priority: 500, mark: 0x10, mask: 0xff, action: 'table', table: 100 },
  ],
  [
    'not from 10.0.0.0/8 priority 500 lookup 100',
    { family: 4, priority: 500, invert: true, src: prefix('10.0.0.0/8'), action: 'table', table: 100 },
  ],
  [
    'priority 500 lookup main suppress_prefixlength 0',
    { family: 4, priority: 500, action: 'table', table: 254, suppressPrefixLength: 0 },
  ],
  [
    'from 10.0.0.0/8 priority 500 blackhole',
    { family: 4, priority: 500, src: prefix('10.0.0.0/8'), action: 'blackhole' },
  ],
  [
    'from 10.0.0.0/8 priority 500 unreachable',
    { family: 4, priority: 500, src: prefix('10.0.0.0/8'), action: 'unreachable' },
  ],
  [
    'from 10.0.0.0/8 priority 500 prohibit',
    { family: 4, priority: 500, src: prefix('10.0.0.0/8'), action: 'prohibit' },
  ],
  [
    'from 2001:db8::/32 priority 500 lookup 100',
    { family: 6, priority: 500, src: dst6, action: 'table', table: 100 },
  ],
  [
    'to 2001:db8::/32 iif v1 fwmark 0x1 priority 500 lookup 100',
    { family: 6, priority: 500, dst: dst6, iif: 'v1', mark: 1, action: 'table', table: 100 },
  ],
  [
    'priority 500 protocol static lookup 100',
    { family: 6, priority: 500, protocol: 4, action: 'table', table: 100 },
  ],
];

describe('rules', () => {
  test.each(rules)('%s', async (words, rule) => {
    const ip = rule.family === 6 ? 'ip -6' : 'ip -4';
    const look = `ip ${rule.family === 6 ? '-6 ' : ''}-d rule show`;
    const before = await show(look);
    await iproute(`${ip} rule add ${words}`);
    const wanted = await show(look);
    const read = r.listRules(connection, rule.family).find(({ priority }) => priority === 500);
    expect(read).toMatchObject(rule);
    r.deleteRule(connection, rule);
    expect(await show(look)).toEqual(before);
    r.addRule(connection, rule);
    expect(await show(look)).toEqual(wanted);
    expect(wanted).toHaveLength(before.length + 1);
    expect(() => r.addRule(connection, rule)).toThrow('EEXIST');
    await iproute(`${ip} rule del ${words}`);
    expect(() => r.deleteRule(connection, rule)).toThrow('ENOENT');
  });

  test('those that are always there', () => {
    const found = r.listRules(connection).map(({ family, priority, table }) => ({ family, priority, table }));
    expect(found).toEqual([
      { family: 4, priority: 0, table: 255 },
      { family: 4, priority: 32766, table: 254 },
      { family: 4, priority: 32767, table: 253 },
      { family: 6, priority: 0, table: 255 },
      { family: 6, priority: 32766, table: 254 },
    ]);
  });
});
