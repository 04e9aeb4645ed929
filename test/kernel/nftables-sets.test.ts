/**
 * Tables, chains, sets, maps and elements: written by nft, by Fairlead's code, and by nft from what Fairlead's
 * operations say as text. All three have to look the same to nft; what nft wrote is read back as values.
 */
// packages: nftables
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, nftables as n } from '../../src/kernel/index.ts';
import { address as ip } from '../../src/lib/ip-literal.ts';
import { limit } from '../support/sandbox.ts';
import { type Listing, nft, writtenByNft, writtenByUs } from './nft.ts';

let connection: Connection;
beforeAll(() => {
  connection = n.openNftables();
});
afterAll(() => connection.close());

const table: n.Table = { family: 'inet', name: 'golden' };

/** `commands` by nft, the operations by us, and the operations' text by nft. */
async function expectSame(
  commands: string,
  operations: readonly n.Operation[],
  of: n.Table = table,
  what: (listing: Listing) => unknown = (listing) => listing,
): Promise<void> {
  const wanted = what(await writtenByNft(of, commands));
  expect(what(await writtenByUs(connection, of, operations))).toEqual(wanted);
  const text = n.transactionText([n.addTable(of), ...operations]);
  expect(what(await writtenByNft(of, text))).toEqual(wanted);
}

/** Runs `use` on a table that nft wrote. */
async function onTable(commands: string, use: () => void): Promise<void> {
  await nft(commands);
  try {
    use();
  } finally {
    n.commit(connection, [n.deleteTable(table)]);
  }
}

describe('tables and chains', () => {
  test.each<n.Family>(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])('family %s', async (family) => {
    await expectSame(`table ${family} golden { }\n`, [], { family, name: 'golden' });
  });

  test('comments, of one byte and of 128', async () => {
    const long = 'ä'.repeat(64);
    const commented = { ...table, comment: long };
    const chain = { table: commented, name: 'c', comment: 'x' };
    const commands = `table inet golden { comment "${long}"\n chain c { comment "x"\n }\n}\n`;
    await expectSame(commands, [n.addChain(chain)], commented);
    await onTable(commands, () => {
      expect(n.getTable(connection, table)).toEqual(commented);
      expect(n.getChain(connection, chain)).toEqual({
        name: 'c',
        comment: 'x',
        isBase: false,
        references: 0,
      });
    });
    expect(n.getTable(connection, table)).toBeUndefined();
    expect(() => n.commit(connection, [n.addTable({ ...table, comment: `${long}.` })])).toThrow(RangeError);
  });

  const bases: readonly (n.BaseChain & { readonly family?: n.Family })[] = [
    ...(['prerouting', 'input', 'forward', 'output', 'postrouting'] as const).map(
      (hook) => ({ type: 'filter', hook, priority: 0 }) as const,
    ),
    { type: 'filter', hook: 'forward', priority: -2147483648, policy: 'drop' },
    { type: 'filter', hook: 'forward', priority: 2147483647, policy: 'accept' },
    { type: 'nat', hook: 'prerouting', priority: -100 },
    { type: 'nat', hook: 'postrouting', priority: 100 },
    { type: 'route', hook: 'output', priority: -150 },
    { type: 'filter', hook: 'ingress', device: 'lo', priority: -500 },
    { family: 'netdev', type: 'filter', hook: 'ingress', device: 'lo', priority: -500 },
    { family: 'netdev', type: 'filter', hook: 'egress', device: 'lo', priority: -500 },
    { family: 'bridge', type: 'filter', hook: 'prerouting', priority: -300 },
    { family: 'bridge', type: 'filter', hook: 'forward', priority: 0, policy: 'drop' },
    { family: 'arp', type: 'filter', hook: 'input', priority: 0 },
    { family: 'arp', type: 'filter', hook: 'output', priority: 0 },
    { family: 'ip', type: 'nat', hook: 'input', priority: 100 },
    { family: 'ip6', type: 'filter', hook: 'forward', priority: 0 },
  ];
  test.each(
    bases.map((base) => [`${base.family ?? 'inet'} ${base.type} ${base.hook} ${base.priority}`, base]),
  )('base chain %s', async (_, { family = 'inet', ...base }) => {
    const { type, hook, priority, policy, device } = base;
    const on = device === undefined ? '' : ` device "${device}"`;
    const decides = policy === undefined ? '' : ` policy ${policy};`;
    const of = { family, name: 'golden' };
    await expectSame(
      `table ${family} golden { chain c { type ${type} hook ${hook}${on} priority ${priority};${decides} }\n}\n`,
      [n.addChain({ table: of, name: 'c', base })],
      of,
    );
  });

  test('all chains of a table and of no other', async () => {
    await nft('table ip6 golden { chain other6 { }\n}\ntable inet others { chain other { }\n}\n');
    await onTable('table inet golden { chain a { jump b\n }\n chain b { }\n}\n', () => {
      expect(n.listChains(connection, table)).toEqual(
        [
          { name: 'b', isBase: false, references: 1 },
          { name: 'a', isBase: false, references: 1 },
        ].reverse(),
      );
    });
    expect(n.listChains(connection, table)).toBeUndefined();
    await nft('table inet golden { }\n');
    expect(n.listChains(connection, table)).toEqual([]);
    await nft('flush ruleset\n');
  });
});

/** A value of each data type, as nft writes it. */
const values = [
  [n.ipv4Addr, ip('10.0.0.1'), '10.0.0.1'],
  [n.ipv6Addr, ip('fd00::1'), 'fd00::1'],
  [n.inetProto, 132, 'sctp'],
  [n.inetService, 8080, '8080'],
  [n.mark, 0x12345678, '0x12345678'],
  [n.etherType, 0x0800, 'ip'],
  [n.nfProto, 10, 'ipv6'],
  [n.ifIndex, 1, '"lo"'],
  [n.ifName, 'eth0', '"eth0"'],
  [n.ifName, 'fifteen-bytes-x', '"fifteen-bytes-x"'],
  [n.etherAddr, '02:00:00:00:00:01', '02:00:00:00:00:01'],
  [n.fibAddrType, 2, 'local'],
  [n.ctDir, 1, 'reply'],
  [n.ctStatus, 0x20, 'dnat'],
  [n.ctState, 8, 'new'],
] as const;

describe('data types', () => {
  test.each(values.map(([type, value, text]) => [`${type.name} ${text}`, type, value, text] as const))(
    '%s',
    async (_, type, value, text) => {
      const set = n.defineSet({ table, name: 's', key: [type as n.DataType<unknown>] });
      const commands = `table inet golden { set s { type ${type.name}; elements = { ${text} comment "c" }\n }\n}\n`;
      await expectSame(commands, [n.addSet(set), ...n.addElements(set, [{ key: [value], comment: 'c' }])]);
      await onTable(commands, () => {
        expect(n.listElements(connection, set)).toEqual([{ key: [value], comment: 'c' }]);
        expect(n.getElement(connection, set, [value])).toEqual({ key: [value], comment: 'c' });
      });
    },
  );

  test.each([
    [n.ipv4Addr, ip('fd00::1')],
    [n.inetService, 65536],
    [n.inetService, -1],
    [n.inetProto, 1.5],
    [n.mark, 2 ** 32],
    [n.ifName, 'sixteen-bytes-xx'],
    [n.ifName, ''],
    [n.ifName, 'a\0b'],
  ])('a value that is not of the type is refused: %#', (type, value) => {
    expect(() => (type as n.DataType<unknown>).encode(value)).toThrow(RangeError);
  });
});

describe('sets and maps', () => {
  test('a set of addresses with comments', async () => {
    const set = n.defineSet({ table, name: 's', key: [n.ipv4Addr], comment: 'the set' });
    const elements = [
      { key: [ip('10.0.0.1')], comment: 'pods 0123456789abcdef eth0' },
      { key: [ip('10.0.0.2')] },
      { key: [ip('10.0.0.3')], comment: 'x'.repeat(128) },
    ] as const;
    await expectSame(
      `table inet golden { set s { type ipv4_addr; comment "the set"; elements = {
        10.0.0.1 comment "pods 0123456789abcdef eth0", 10.0.0.2, 10.0.0.3 comment "${'x'.repeat(128)}" }\n }\n}\n`,
      [n.addSet(set), ...n.addElements(set, elements)],
    );
  });

  const portmap4 = n.defineMap({
    table,
    name: 'm',
    key: [n.ipv4Addr, n.inetProto, n.inetService],
    data: [n.ipv4Addr, n.inetService],
    comment: 'the map',
  });
  const portmap6 = n.defineMap({
    table,
    name: 'm',
    key: [n.ipv6Addr, n.inetProto, n.inetService],
    data: [n.ipv6Addr, n.inetService],
    comment: 'the map',
  });
  test('a map from address, protocol and port to address and port, IPv4', async () => {
    const commands = `table inet golden { map m { comment "the map"
      type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
      elements = { 192.0.2.1 . tcp . 80 comment "web" : 10.0.0.1 . 8080, 192.0.2.1 . udp . 53 : 10.0.0.2 . 53 }\n }\n}\n`;
    const elements = [
      { key: [ip('192.0.2.1'), 6, 80], data: [ip('10.0.0.1'), 8080], comment: 'web' },
      { key: [ip('192.0.2.1'), 17, 53], data: [ip('10.0.0.2'), 53] },
    ] as const;
    await expectSame(commands, [n.addSet(portmap4), ...n.addElements(portmap4, elements)]);
    await onTable(commands, () => {
      expect(n.getElement(connection, portmap4, elements[0].key)).toEqual(elements[0]);
      expect(n.getElement(connection, portmap4, [ip('192.0.2.1'), 6, 81])).toBeUndefined();
      expect(n.listElements(connection, portmap4)).toContainEqual(elements[0]);
      expect(n.listElements(connection, portmap4)).toContainEqual(elements[1]);
      expect(n.getSet(connection, portmap4)).toMatchObject({ name: 'm', comment: 'the map' });
    });
    expect(n.getElement(connection, portmap4, elements[0].key)).toBeUndefined();
    expect(n.listElements(connection, portmap4)).toBeUndefined();
    expect(n.getSet(connection, portmap4)).toBeUndefined();
  });

  test('the same, IPv6', async () => {
    await expectSame(
      `table inet golden { map m { comment "the map"
        type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
        elements = { 2001:db8::1 . sctp . 80 comment "web" : fd00::1 . 8080 }\n }\n}\n`,
      [
        n.addSet(portmap6),
        ...n.addElements(portmap6, [
          { key: [ip('2001:db8::1'), 132, 80], data: [ip('fd00::1'), 8080], comment: 'web' },
        ]),
      ],
    );
  });

  test('a verdict map with each verdict', async () => {
    const web = { table, name: 'web' };
    const map = n.defineMap({ table, name: 'v', key: [n.ipv4Addr, n.ifName], data: 'verdict' });
    const commands = `table inet golden { chain web { }
      map v { type ipv4_addr . ifname : verdict; elements = {
        10.0.0.1 . "eth0" comment "o" : jump web, 10.0.0.2 . "eth0" : goto web, 10.0.0.3 . "eth0" : accept,
        10.0.0.4 . "eth0" : drop, 10.0.0.5 . "eth0" : return, 10.0.0.6 . "eth0" : continue }\n }\n}\n`;
    const verdicts: n.Verdict[] = [
      { verdict: 'jump', chain: 'web' },
      { verdict: 'goto', chain: 'web' },
      { verdict: 'accept' },
      { verdict: 'drop' },
      { verdict: 'return' },
      { verdict: 'continue' },
    ];
    const elements = verdicts.map((data, index) => ({
      key: [ip(`10.0.0.${index + 1}`), 'eth0'] as const,
      data,
      ...(index === 0 ? { comment: 'o' } : {}),
    }));
    await expectSame(commands, [n.addChain(web), n.addSet(map), ...n.addElements(map, elements)]);
    await onTable(commands, () => {
      for (const element of elements) {
        expect(n.getElement(connection, map, element.key)).toEqual(element);
      }
      expect(n.getChain(connection, web)?.references).toBe(2);
    });
  });

  // nft also writes that there is nothing before the first range, and a note on ranges without end: not needed.
  const words = ({ json, text }: Listing) => ({ json, text });

  test.each([
    [
      'IPv4',
      n.ipv4Addr,
      ['10.0.0.0/24', '10.1.0.5-10.1.0.9', '10.2.0.1', '10.2.0.2-10.2.0.3', '224.0.0.0/3'],
      [
        ['10.0.0.0', '10.0.0.255'],
        ['10.1.0.5', '10.1.0.9'],
        ['10.2.0.1', '10.2.0.1'],
        ['10.2.0.2', '10.2.0.3'],
        ['224.0.0.0', '255.255.255.255'],
      ],
    ],
    [
      'IPv6',
      n.ipv6Addr,
      ['::/64', 'fd00::5-fd00::9', 'ff00::/8'],
      [
        ['::', '::ffff:ffff:ffff:ffff'],
        ['fd00::5', 'fd00::9'],
        ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
      ],
    ],
  ] as const)('ranges in a set, %s', async (_, type, texts, ranges) => {
    const set = n.defineSet({ table, name: 's', key: [type], interval: true });
    const elements = ranges.map(([from, to], index) => ({
      key: [ip(from)] as const,
      keyEnd: [ip(to)] as const,
      comment: `range ${index}`,
    }));
    const commented = texts.map((text, index) => `${text} comment "range ${index}"`).join(', ');
    const commands = `table inet golden { set s { type ${type.name}; flags interval; elements = { ${commented} }\n }\n}\n`;
    await expectSame(commands, [n.addSet(set), ...n.addElements(set, elements)], table, words);
    await onTable(commands, () => {
      expect(n.listElements(connection, set)).toEqual(elements);
      // By the same key and end a range is deleted, whoever wrote it.
      n.commit(connection, n.deleteElements(set, elements.slice(1, 2)));
      expect(n.listElements(connection, set)).toEqual(elements.filter((_, index) => index !== 1));
    });
  });

  test('ranges in a concatenation', async () => {
    const set = n.defineSet({ table, name: 's', key: [n.ipv4Addr, n.inetService], interval: true });
    const elements = [
      { key: [ip('10.0.0.0'), 80], keyEnd: [ip('10.0.0.255'), 90], comment: 'c' },
      { key: [ip('10.1.0.5'), 443], keyEnd: [ip('10.1.0.5'), 443] },
    ] as const;
    const commands = `table inet golden { set s { type ipv4_addr . inet_service; flags interval
      elements = { 10.0.0.0/24 . 80-90 comment "c", 10.1.0.5 . 443 }\n }\n}\n`;
    await expectSame(commands, [n.addSet(set), ...n.addElements(set, elements)]);
    await onTable(commands, () => {
      expect(n.listElements(connection, set)).toHaveLength(2);
      expect(n.listElements(connection, set)).toContainEqual(elements[0]);
      expect(n.listElements(connection, set)).toContainEqual(elements[1]);
    });
  });

  test(
    'ten thousand elements at once, in messages that fit',
    async () => {
      const map = n.defineMap({ table, name: 'm', key: [n.ipv4Addr, n.inetService], data: [n.ipv4Addr] });
      const comment = 'x'.repeat(100);
      const elements = Array.from({ length: 10_000 }, (_, index) => ({
        key: [{ family: 4, value: BigInt(0x0a00_0000 + index) }, index] as const,
        data: [{ family: 4, value: BigInt(0x0b00_0000 + index) }] as const,
        comment,
      })) as n.Element<typeof map.key, typeof map.data>[];
      const operations = n.addElements(map, elements);
      expect(operations.length).toBeGreaterThan(1);
      // More than once: the kernel still moves them to a larger table of hashes while they are listed, or not.
      for (let round = 0; round < 15; round += 1) {
        n.commit(connection, [n.addTable(table), n.addSet(map), ...operations]);
        const found = n.listElements(connection, map) ?? [];
        const ports = new Set(found.map(({ key }) => key[1]));
        expect(elements.filter(({ key }) => !ports.has(key[1]))).toEqual([]);
        if (round === 0) expect(found.toSorted((a, b) => a.key[1] - b.key[1])).toEqual(elements);
        n.commit(connection, [n.deleteSet(map)]);
      }
      n.commit(connection, [n.addTable(table), n.addSet(map), ...operations]);
      n.commit(connection, [n.flushSet(map)]);
      expect(n.listElements(connection, map)).toEqual([]);
      n.commit(connection, [n.deleteTable(table)]);
    },
    limit(20),
  );
});
