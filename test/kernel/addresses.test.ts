/** Addresses of links: given, read and taken like iproute2 does. */
// packages: iproute2
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, NETLINK_ROUTE, openConnection, rtnetlink as r } from '../../src/kernel/index.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { address, prefix } from '../../src/lib/ip-literal.ts';
import { limit } from '../support/sandbox.ts';
import { both, iproute, show, until } from './iproute.ts';

let connection: Connection;
let v1: r.Link;
beforeAll(async () => {
  connection = openConnection(NETLINK_ROUTE);
  // A socket loads the protocol where it is a module, which iproute2 does not.
  (await Bun.udpSocket({ hostname: '::' })).close();
  // Without link-local addresses, which come and change by themselves.
  await iproute('ip link add v1 type veth peer name v2');
  for (const name of ['v1', 'v2']) {
    await iproute(`ip link set ${name} addrgenmode none`);
    await iproute(`ip link set ${name} up`);
  }
  await until('v1 up', () => r.getLink(connection, 'v1')?.operState === 'up');
  const found = r.getLink(connection, 'v1');
  if (found === undefined) throw new Error('no v1');
  v1 = found;
}, limit(20));
afterAll(async () => {
  connection.close();
  await iproute('ip link del v1');
});

const cases: readonly (readonly [words: string, address: r.NewAddress])[] = [
  ['10.1.0.7/16', { prefix: prefix('10.1.0.7/16') }],
  ['10.1.0.7/32', { prefix: prefix('10.1.0.7/32') }],
  [
    '10.1.0.7/16 broadcast 10.1.255.255',
    { prefix: prefix('10.1.0.7/16'), broadcast: address('10.1.255.255') },
  ],
  ['10.1.0.7/16 label v1:web', { prefix: prefix('10.1.0.7/16'), label: 'v1:web' }],
  ['10.1.0.7/16 scope link', { prefix: prefix('10.1.0.7/16'), scope: r.routeScopes.link }],
  ['10.1.0.7/16 metric 77', { prefix: prefix('10.1.0.7/16'), metric: 77 }],
  ['10.1.0.7/16 noprefixroute', { prefix: prefix('10.1.0.7/16'), noPrefixRoute: true }],
  ['10.1.0.7 peer 10.9.0.1/32', { prefix: prefix('10.1.0.7/32'), peer: address('10.9.0.1') }],
  [
    '10.1.0.7/16 valid_lft 1000 preferred_lft 500',
    { prefix: prefix('10.1.0.7/16'), validSeconds: 1000, preferredSeconds: 500 },
  ],
  ['fd00::7/64 nodad', { prefix: prefix('fd00::7/64'), noDad: true }],
  ['fd00::7/128 nodad', { prefix: prefix('fd00::7/128'), noDad: true }],
  ['fd00::7/64 nodad noprefixroute', { prefix: prefix('fd00::7/64'), noDad: true, noPrefixRoute: true }],
  ['fd00::7/64 nodad home', { prefix: prefix('fd00::7/64'), noDad: true, homeAddress: true }],
  ['fd00::7/64 nodad mngtmpaddr', { prefix: prefix('fd00::7/64'), noDad: true, manageTempAddress: true }],
  ['fd00::7/64 nodad metric 77', { prefix: prefix('fd00::7/64'), noDad: true, metric: 77 }],
  [
    'fd00::7 peer fd00::8/128 nodad',
    { prefix: prefix('fd00::7/128'), peer: address('fd00::8'), noDad: true },
  ],
  [
    'fd00::7/64 nodad valid_lft 1000 preferred_lft 0',
    { prefix: prefix('fd00::7/64'), noDad: true, validSeconds: 1000, preferredSeconds: 0 },
  ],
];

/** With what follows from it: the routes. */
const undo = 'ip address flush dev v1 scope global';

describe('given', () => {
  test.each(cases)('%s', async (words, given) => {
    const clear = words.includes('scope link') ? 'ip address flush dev v1 to 10.0.0.0/8' : undo;
    for (const look of [
      'ip -d address show dev v1',
      'ip route show table all',
      'ip -6 route show table all',
    ]) {
      const { wanted, found } = await both(
        `ip address add ${words} dev v1`,
        () => r.addAddress(connection, v1, given),
        look,
        clear,
      );
      expect(found).toEqual(wanted);
      expect(wanted).not.toEqual([]);
    }
  });

  test.each(cases)('%s, read', async (words, given) => {
    await iproute(`ip address add ${words} dev v1`);
    const family = given.prefix.address.family;
    const found = r
      .listAddresses(connection, { link: v1, family })
      .filter(({ prefix: { address: own } }) => formatAddress(own) === formatAddress(given.prefix.address));
    const {
      prefix: own,
      peer,
      broadcast,
      scope,
      metric,
      noDad,
      noPrefixRoute,
      validSeconds,
      preferredSeconds,
    } = given;
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      linkIndex: v1.index,
      prefix: own,
      ...(peer && { peer }),
      ...(broadcast && { broadcast }),
      ...(family === 4 && { label: given.label ?? 'v1', scope: scope ?? 0 }),
      ...(metric !== undefined && { metric }),
      ...(preferredSeconds !== undefined && { preferredSeconds }),
      flags: {
        tentative: false,
        permanent: validSeconds === undefined,
        noPrefixRoute: noPrefixRoute ?? false,
        deprecated: preferredSeconds === 0,
        ...(family === 6 && { noDad: noDad ?? false }),
      },
    });
    r.deleteAddress(connection, v1, given);
    expect(await iproute('ip address show dev v1')).not.toContain(words.split(/[/ ]/)[0] ?? words);
  });
});

test('listed by link, by family and all, as iproute2 lists them', async () => {
  await iproute('ip address add 10.1.0.7/16 dev v1');
  await iproute('ip address add 10.1.0.8/16 dev v1');
  await iproute('ip address add fd00::7/64 dev v1 nodad');
  await iproute('ip address add 10.2.0.1/24 dev v2');
  const listed = (await show('ip address show')) as { addr_info: { local: string; prefixlen: number }[] }[];
  const wanted = listed.flatMap(({ addr_info }) =>
    addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  );
  const text = (found: readonly r.Address[]) =>
    found.map(({ prefix: { address: own, length } }) => `${formatAddress(own)}/${length}`);
  expect(text(r.listAddresses(connection)).sort()).toEqual(wanted.sort());
  expect(text(r.listAddresses(connection, { link: v1, family: 4 }))).toEqual(['10.1.0.7/16', '10.1.0.8/16']);
  const [, second] = r.listAddresses(connection, { link: v1, family: 4 });
  expect(second?.flags.secondary).toBe(true);
  expect(text(r.listAddresses(connection, { family: 4 }))).toContain('10.2.0.1/24');
  await iproute(undo);
  await iproute('ip address flush dev v2 scope global');
});

test('twice: EEXIST; replaced: new lifetimes; taken twice: EADDRNOTAVAIL', () => {
  const given = { prefix: prefix('10.1.0.7/16') };
  r.addAddress(connection, v1, given);
  expect(() => r.addAddress(connection, v1, given)).toThrow(
    'add address 10.1.0.7/16 to link v1: exists already',
  );
  r.replaceAddress(connection, v1, { ...given, validSeconds: 100 });
  expect(r.listAddresses(connection, { link: v1, family: 4 })).toMatchObject([{ validSeconds: 100 }]);
  r.deleteAddress(connection, v1, given);
  expect(() => r.deleteAddress(connection, v1, given)).toThrow('EADDRNOTAVAIL');
  const gone = { index: 99_999, name: 'gone' };
  expect(() => r.addAddress(connection, gone, given)).toThrow('ENODEV');
  expect(() => r.listAddresses(connection, { link: gone })).toThrow('list addresses of link gone');
});

describe('duplicate address detection', () => {
  test(
    'waits for its end',
    async () => {
      r.addAddress(connection, v1, { prefix: prefix('fd00::9/64') });
      const tentative = () =>
        r.listAddresses(connection, { link: v1, family: 6 }).filter(({ flags }) => flags.tentative).length;
      expect(tentative()).toBeGreaterThan(0);
      await r.settleAddresses(connection, v1, limit(10));
      expect(tentative()).toBe(0);
      await iproute(undo);
    },
    limit(15),
  );

  test(
    'an address that the other end has: an error that names it',
    async () => {
      await iproute('ip address add fd00::9/64 dev v2 nodad');
      r.addAddress(connection, v1, { prefix: prefix('fd00::9/64') });
      const settled = r.settleAddresses(connection, v1, limit(10));
      await expect(settled).rejects.toThrow('fd00::9 of link v1 in use by another node');
      await iproute(undo);
      await iproute('ip address flush dev v2 scope global');
    },
    limit(15),
  );

  test('a link that is not up does not hold anybody up', async () => {
    await iproute('ip link add v3 up type veth peer name v4');
    const v3 = r.getLink(connection, 'v3');
    if (v3 === undefined) throw new Error('no v3');
    r.addAddress(connection, v3, { prefix: prefix('fd01::9/64') });
    await r.settleAddresses(connection, v3, 100);
    expect(r.listAddresses(connection, { link: v3, family: 6 })).toMatchObject([
      { flags: { tentative: true } },
    ]);
    await iproute('ip link del v3');
  });
});
