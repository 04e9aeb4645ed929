/**
 * Rules, expression by expression: the same rule written by nft and by Fairlead's code has to look the same to nft,
 * in bytecode, JSON and text. So each case's first column is the command that makes the golden bytes.
 */
// packages: nftables iptables
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, isNetlinkError, nftables as n } from '../../src/kernel/index.ts';
import { addressToBytes } from '../../src/lib/ip.ts';
import { address as ipLiteral } from '../../src/lib/ip-literal.ts';
import { output } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { writtenByNft, writtenByUs } from './nft.ts';

let connection: Connection;
beforeAll(() => {
  connection = n.openNftables();
});
afterAll(() => connection.close());

const address = (text: string) => addressToBytes(ipLiteral(text));
const hex = (text: string) => Uint8Array.fromHex(text);
const u32 = (value: number) => n.mark.encode(value);
const port = (value: number) => n.inetService.encode(value);
const text = (value: string) => new TextEncoder().encode(value);

const r1 = n.firstRegister;
const equals = (bytes: Uint8Array) => n.cmp(r1, '==', bytes);
const not = (bytes: Uint8Array) => n.cmp(r1, '!=', bytes);
const and = (mask: Uint8Array) => n.bitwise(r1, mask, new Uint8Array(mask.length));
const ip4 = [n.metaLoad('nfproto', r1), equals(hex('02'))];
const ip6 = [n.metaLoad('nfproto', r1), equals(hex('0a'))];
const tcp = [n.metaLoad('l4proto', r1), equals(hex('06'))];
const udp = [n.metaLoad('l4proto', r1), equals(hex('11'))];
const dport = n.payload('transport', 2, 2, r1);
const sport = n.payload('transport', 0, 2, r1);
const saddr4 = n.payload('network', 12, 4, r1);
const daddr4 = n.payload('network', 16, 4, r1);
const saddr6 = n.payload('network', 8, 16, r1);
const daddr6 = n.payload('network', 24, 16, r1);

type Case = readonly [rule: string, expressions: readonly n.Expression[]];

/** Chains that the rules are in, by what they may do. */
const chains = {
  filter: { type: 'filter', hook: 'prerouting', priority: 0 },
  output: { type: 'filter', hook: 'output', priority: 0 },
  forward: { type: 'filter', hook: 'forward', priority: 0 },
  dnat: { type: 'nat', hook: 'prerouting', priority: -100 },
  snat: { type: 'nat', hook: 'postrouting', priority: 100 },
} as const satisfies Record<string, n.BaseChain>;

const inFilter: readonly Case[] = [
  ['meta protocol ip', [n.metaLoad('protocol', r1), equals(hex('0800'))]],
  ['meta mark 0x10', [n.metaLoad('mark', r1), equals(u32(0x10))]],
  ['iif "lo"', [n.metaLoad('iif', r1), equals(n.ifIndex.encode(1))]],
  ['iifname "eth0"', [n.metaLoad('iifname', r1), equals(n.ifName.encode('eth0'))]],
  ['meta iifkind "veth"', [n.metaLoad('iifkind', r1), equals(n.ifName.encode('veth'))]],
  ['iifname != "veth*"', [n.metaLoad('iifname', r1), not(text('veth'))]],
  ['meta nfproto ipv6', ip6],
  ['meta l4proto sctp', [n.metaLoad('l4proto', r1), equals(hex('84'))]],
  ['meta mark set 0x1', [n.immediate(r1, u32(1)), n.metaSet('mark', r1)]],
  [
    'meta mark set mark or 0x2000',
    [n.metaLoad('mark', r1), n.bitwise(r1, u32(0xffff_dfff), u32(0x2000)), n.metaSet('mark', r1)],
  ],
  ['ip saddr 10.0.0.1', [...ip4, saddr4, equals(address('10.0.0.1'))]],
  ['ip daddr != 10.0.0.1', [...ip4, daddr4, not(address('10.0.0.1'))]],
  ['ip saddr 10.0.0.0/12', [...ip4, saddr4, and(address('255.240.0.0')), equals(address('10.0.0.0'))]],
  ['ip6 saddr fd00::1', [...ip6, saddr6, equals(address('fd00::1'))]],
  ['ip6 daddr fd00::/60', [...ip6, daddr6, and(address('ffff:ffff:ffff:fff0::')), equals(address('fd00::'))]],
  ['ip protocol tcp', [...ip4, n.payload('network', 9, 1, r1), equals(hex('06'))]],
  ['tcp dport 80', [...tcp, dport, equals(port(80))]],
  ['udp sport != 53', [...udp, sport, not(port(53))]],
  ['tcp dport < 1024', [...tcp, dport, n.cmp(r1, '<', port(1024))]],
  ['tcp dport <= 1024', [...tcp, dport, n.cmp(r1, '<=', port(1024))]],
  ['tcp dport > 1024', [...tcp, dport, n.cmp(r1, '>', port(1024))]],
  ['tcp dport >= 1024', [...tcp, dport, n.cmp(r1, '>=', port(1024))]],
  ['tcp dport 80-90', [...tcp, dport, n.cmp(r1, '>=', port(80)), n.cmp(r1, '<=', port(90))]],
  ['tcp dport != 80-90', [...tcp, dport, n.range(r1, '!=', port(80), port(90))]],
  ['ip saddr @pods', [...ip4, saddr4, n.lookup('pods', r1)]],
  ['ip6 saddr != @pods6', [...ip6, saddr6, n.lookup('pods6', r1, true)]],
  ['ip daddr vmap @verdicts', [...ip4, daddr4, n.lookupVerdict('verdicts', r1)]],
  [
    'meta mark set tcp dport map @marks',
    [...tcp, dport, n.lookupMap('marks', r1, r1), n.metaSet('mark', r1)],
  ],
  [
    'ip saddr . tcp dport vmap @pairs',
    [
      n.metaLoad('nfproto', r1),
      equals(hex('02')),
      ...tcp,
      saddr4,
      n.payload('transport', 2, 2, n.registerAt(4)),
      n.lookupVerdict('pairs', r1),
    ],
  ],
  [
    'ip6 saddr . meta l4proto . th dport vmap @triples6',
    [
      ...ip6,
      saddr6,
      n.metaLoad('l4proto', n.registerAt(16)),
      n.payload('transport', 2, 2, n.registerAt(20)),
      n.lookupVerdict('triples6', r1),
    ],
  ],
  ['fib daddr type local', [n.fibAddressType('daddr', r1), equals(n.fibAddrType.encode(2))]],
  ['fib saddr type != unicast', [n.fibAddressType('saddr', r1), not(n.fibAddrType.encode(1))]],
  ['ct state established,related', [n.ctLoad('state', r1), and(n.ctState.encode(6)), not(u32(0))]],
  ['ct direction reply', [n.ctLoad('direction', r1), equals(n.ctDir.encode(1))]],
  ['ct status dnat', [n.ctLoad('status', r1), and(n.ctStatus.encode(0x20)), not(u32(0))]],
  ['ct mark 0x1', [n.ctLoad('mark', r1), equals(u32(1))]],
  ['ct mark set meta mark', [n.metaLoad('mark', r1), n.ctSet('mark', r1)]],
  ['ct original protocol tcp', [n.ctLoad('protocol', r1, 'original'), equals(hex('06'))]],
  ['ct original ip saddr 10.0.0.1', [n.ctLoad('ip saddr', r1, 'original'), equals(address('10.0.0.1'))]],
  ['ct reply ip daddr 10.0.0.1', [n.ctLoad('ip daddr', r1, 'reply'), equals(address('10.0.0.1'))]],
  ['ct original ip6 saddr fd00::1', [n.ctLoad('ip6 saddr', r1, 'original'), equals(address('fd00::1'))]],
  ['ct reply ip6 daddr fd00::1', [n.ctLoad('ip6 daddr', r1, 'reply'), equals(address('fd00::1'))]],
  [
    'meta l4proto tcp ct original proto-dst 80',
    [...tcp, n.ctLoad('proto-dst', r1, 'original'), equals(port(80))],
  ],
  ['meta l4proto tcp ct reply proto-src 80', [...tcp, n.ctLoad('proto-src', r1, 'reply'), equals(port(80))]],
  ['counter', [n.counter()]],
  ['accept', [n.immediateVerdict({ verdict: 'accept' })]],
  ['drop', [n.immediateVerdict({ verdict: 'drop' })]],
  ['continue', [n.immediateVerdict({ verdict: 'continue' })]],
  ['return', [n.immediateVerdict({ verdict: 'return' })]],
  ['jump web', [n.immediateVerdict({ verdict: 'jump', chain: 'web' })]],
  ['goto web', [n.immediateVerdict({ verdict: 'goto', chain: 'web' })]],
];

const inOutput: readonly Case[] = [
  ['oif "lo"', [n.metaLoad('oif', r1), equals(n.ifIndex.encode(1))]],
  ['oifname "eth0"', [n.metaLoad('oifname', r1), equals(n.ifName.encode('eth0'))]],
];

const inForward: readonly Case[] = [
  ['reject', [n.reject('icmpx', 1)]],
  ['reject with icmpx type admin-prohibited', [n.reject('icmpx', 3)]],
  ['reject with tcp reset', [...tcp, n.reject('tcp reset', 0)]],
  ['reject with icmp type host-unreachable', [...ip4, n.reject('icmp', 1)]],
  ['reject with icmpv6 type no-route', [...ip6, n.reject('icmp', 0)]],
];

const to4 = n.immediate(r1, address('10.0.0.1'));
const to6 = n.immediate(r1, address('fd00::1'));
/** nft puts an address into register 1 and a port into register 2, even where both have space in the first. */
const toPort = n.immediate(2, port(8080));

const inDnat: readonly Case[] = [
  ['dnat ip to 10.0.0.1', [to4, n.nat({ type: 'dnat', family: 4, address: r1 })]],
  ['dnat ip6 to fd00::1', [to6, n.nat({ type: 'dnat', family: 6, address: r1 })]],
  [
    'tcp dport 80 dnat ip to 10.0.0.1:8080',
    [...tcp, dport, equals(port(80)), to4, toPort, n.nat({ type: 'dnat', family: 4, address: r1, port: 2 })],
  ],
  [
    'tcp dport 80 dnat ip6 to [fd00::1]:8080',
    [...tcp, dport, equals(port(80)), to6, toPort, n.nat({ type: 'dnat', family: 6, address: r1, port: 2 })],
  ],
];

const inSnat: readonly Case[] = [
  [
    'snat ip to 10.0.0.1 random,persistent',
    [to4, n.nat({ type: 'snat', family: 4, address: r1, flags: ['random', 'persistent'] })],
  ],
  [
    'snat ip6 to fd00::1 fully-random',
    [to6, n.nat({ type: 'snat', family: 6, address: r1, flags: ['fully-random'] })],
  ],
  ['masquerade', [n.masq()]],
  ['masquerade random,persistent', [n.masq(['random', 'persistent'])]],
  ['masquerade fully-random', [n.masq(['fully-random'])]],
];

const inet: n.Table = { family: 'inet', name: 'golden' };
const sets = [
  n.defineSet({ table: inet, name: 'pods', key: [n.ipv4Addr] }),
  n.defineSet({ table: inet, name: 'pods6', key: [n.ipv6Addr] }),
  n.defineMap({ table: inet, name: 'verdicts', key: [n.ipv4Addr], data: 'verdict' }),
  n.defineMap({ table: inet, name: 'pairs', key: [n.ipv4Addr, n.inetService], data: 'verdict' }),
  n.defineMap({
    table: inet,
    name: 'triples6',
    key: [n.ipv6Addr, n.inetProto, n.inetService],
    data: 'verdict',
  }),
  n.defineMap({ table: inet, name: 'marks', key: [n.inetService], data: [n.mark] }),
];
const setsText = `
  set pods { type ipv4_addr; }
  set pods6 { type ipv6_addr; }
  map verdicts { type ipv4_addr : verdict; }
  map pairs { type ipv4_addr . inet_service : verdict; }
  map triples6 { type ipv6_addr . inet_proto . inet_service : verdict; }
  map marks { type inet_service : mark; }`;

/** One table with one rule under test, and one behind it. */
function nftText(base: n.BaseChain, rule: string): string {
  return `table inet golden {${setsText}
    chain web { }
    chain tested {
      type ${base.type} hook ${base.hook} priority ${base.priority};
      ${rule} comment "what it is for"
      counter
    }
  }\n`;
}

const web: n.Chain = { table: inet, name: 'web' };

function operations(base: n.BaseChain, expressions: readonly n.Expression[]): n.Operation[] {
  const tested = { table: inet, name: 'tested', base };
  return [
    ...sets.map((set) => n.addSet(set)),
    n.addChain(web),
    n.addChain(tested),
    n.addRule(tested, { comment: 'what it is for', expressions }),
    n.addRule(tested, { expressions: [n.counter()] }),
  ];
}

function compare(base: n.BaseChain, cases: readonly Case[]): void {
  test.each(cases)(
    '%s',
    async (rule, expressions) => {
      const wanted = await writtenByNft(inet, nftText(base, rule));
      expect(wanted.text).toContain('comment "what it is for"');
      expect(await writtenByUs(connection, inet, operations(base, expressions))).toEqual(wanted);
    },
    limit(10),
  );
}

describe('filter', () => compare(chains.filter, inFilter));
describe('output', () => compare(chains.output, inOutput));
describe('reject', () => compare(chains.forward, inForward));
describe('dnat', () => compare(chains.dnat, inDnat));
describe('snat', () => compare(chains.snat, inSnat));

test('dnat by a map whose data are address and port, as portmap has it', async () => {
  for (const [family, key, target] of [
    [4, 'ip', n.ipv4Addr],
    [6, 'ip6', n.ipv6Addr],
  ] as const) {
    const wanted = await writtenByNft(
      inet,
      `table inet golden {
        map targets { type inet_proto . inet_service : ${target.name} . inet_service; }
        chain c {
          type nat hook output priority -100;
          meta nfproto ipv${family} dnat ${key} to meta l4proto . th dport map @targets
        }
      }\n`,
    );
    const chain: n.Chain = { table: inet, name: 'c', base: { type: 'nat', hook: 'output', priority: -100 } };
    const targets = n.defineMap({
      table: inet,
      name: 'targets',
      key: [n.inetProto, n.inetService],
      data: [target, n.inetService],
    });
    const rule = [
      ...(family === 4 ? ip4 : ip6),
      n.metaLoad('l4proto', r1),
      n.payload('transport', 2, 2, n.registerAt(4)),
      n.lookupMap('targets', r1, r1),
      n.nat({ type: 'dnat', family, address: r1, port: n.registerAt(target.size) }),
    ];
    const found = await writtenByUs(connection, inet, [
      n.addSet(targets),
      n.addChain(chain),
      n.addRule(chain, { expressions: rule }),
    ]);
    // nft does not set NF_NAT_RANGE_PROTO_SPECIFIED in its message; the kernel does for both.
    expect(found).toEqual(wanted);
  }
});

describe('the bridge family', () => {
  const table: n.Table = { family: 'bridge', name: 'golden' };
  const chain: n.Chain = {
    table,
    name: 'c',
    base: { type: 'filter', hook: 'prerouting', priority: -200 },
  };
  const ours = (expressions: readonly n.Expression[]) =>
    writtenByUs(connection, table, [n.addChain(chain), n.addRule(chain, { expressions })]);
  const theirs = (rule: string) =>
    writtenByNft(
      table,
      `table bridge golden { chain c { type filter hook prerouting priority -200; ${rule}\n }\n}\n`,
    );

  test.each<Case>([
    [
      'ether saddr 02:00:00:00:00:01',
      [n.payload('link', 6, 6, r1), equals(n.etherAddr.encode('02:00:00:00:00:01'))],
    ],
    ['ether type 0x0800', [n.payload('link', 12, 2, r1), equals(n.etherType.encode(0x0800))]],
    [
      'iifname "veth0" drop',
      [n.metaLoad('iifname', r1), equals(n.ifName.encode('veth0')), n.immediateVerdict({ verdict: 'drop' })],
    ],
  ])('%s', async (rule, expressions) => {
    expect(await ours(expressions)).toEqual(await theirs(rule));
  });

  test.each<Case>([
    ['meta ibrname "br0"', [n.metaLoad('ibrname', r1), equals(n.ifName.encode('br0'))]],
    ['meta obrname "br0"', [n.metaLoad('obrname', r1), equals(n.ifName.encode('br0'))]],
  ])('%s, or the same refusal where the kernel lacks nft_meta_bridge', async (rule, expressions) => {
    const wanted = await theirs(rule).catch((error: unknown) => String(error));
    if (typeof wanted === 'string') {
      expect(wanted).toContain('Operation not supported');
      const failure = await ours(expressions).catch((error: unknown) => error);
      expect(isNetlinkError(failure, 'EOPNOTSUPP')).toBe(true);
    } else {
      expect(await ours(expressions)).toEqual(wanted);
    }
  });
});

describe('rules read back', () => {
  const copy: n.Table = { family: 'inet', name: 'copy' };

  test(
    "all of nft's rules, read and written again, are the same",
    async () => {
      const rules = inFilter.map(([rule], index) => `${rule} comment "rule ${index}"`);
      const commands = `table inet golden {${setsText}
      chain web { }
      chain tested { type filter hook prerouting priority 0; ${rules.join('\n')}\n }
    }\n`;
      await output(['nft', '-f', '-'], { stdin: commands });
      const found = n.listRules(connection, { table: inet, name: 'tested' }) ?? [];
      n.commit(connection, [n.deleteTable(inet)]);
      expect(found.map(({ comment }) => comment)).toEqual(rules.map((_, index) => `rule ${index}`));
      const tested: n.Chain = { table: inet, name: 'tested', base: chains.filter };
      const ours = await writtenByUs(connection, inet, [
        ...sets.map((set) => n.addSet(set)),
        n.addChain(web),
        n.addChain(tested),
        ...found.map((rule) => n.addRule(tested, rule)),
      ]);
      expect(ours).toEqual(await writtenByNft(inet, commands));
    },
    limit(20),
  );

  test('by handle one rule is deleted, and flushing leaves the chain', () => {
    const chain: n.Chain = { table: copy, name: 'c' };
    const rules = ['a', 'b', 'c'].map((comment) => ({ comment, expressions: [n.counter()] }));
    n.commit(connection, [
      n.addTable(copy),
      n.addChain(chain),
      ...rules.map((rule) => n.addRule(chain, rule)),
    ]);
    const comments = () => n.listRules(connection, chain)?.map(({ comment }) => comment);
    expect(comments()).toEqual(['a', 'b', 'c']);
    expect(n.getChain(connection, chain)?.references).toBe(3);
    const [, second] = n.listRules(connection, chain) ?? [];
    if (second === undefined) throw new Error('no second rule');
    n.commit(connection, [n.deleteRule(chain, second.handle)]);
    expect(comments()).toEqual(['a', 'c']);
    expect(() => n.commit(connection, [n.deleteRule(chain, second.handle)])).toThrow('ENOENT');
    n.commit(connection, [n.flushChain(chain)]);
    expect(comments()).toEqual([]);
    n.commit(connection, [n.deleteChain(chain)]);
    expect(comments()).toBeUndefined();
    n.commit(connection, [n.deleteTable(copy)]);
    expect(comments()).toBeUndefined();
  });

  test('a rule that is put before the others, and the policy of a chain', () => {
    const base = { type: 'filter', hook: 'forward', priority: 0, policy: 'drop' } as const;
    const chain: n.Chain = { table: copy, name: 'c', base };
    const named = (comment: string) => ({ comment, expressions: udp });
    n.commit(connection, [
      n.addTable(copy),
      n.addChain(chain),
      n.addRule(chain, named('second')),
      n.insertRule(chain, named('first')),
      n.addChain({ table: copy, name: 'plain' }),
    ]);
    expect(n.listRules(connection, chain)?.map(({ comment }) => comment)).toEqual(['first', 'second']);
    expect(n.getChain(connection, chain)).toMatchObject({ isBase: true, policy: 'drop' });
    expect(n.getChain(connection, { table: copy, name: 'plain' })).toEqual({
      name: 'plain',
      isBase: false,
      references: 0,
    });
    n.commit(connection, [n.deleteTable(copy)]);
  });

  test('a match of iptables is read by iptables as it is meant', async () => {
    const table = { family: 'ip', name: 'filter' } as const;
    const base = { type: 'filter', hook: 'output', priority: 0, policy: 'accept' } as const;
    const chain: n.Chain = { table, name: 'OUTPUT', base };
    // struct xt_mark_mtinfo1: mark, mask, and a byte for "not".
    const info = Uint8Array.from([...u32(0x10), ...u32(0xf0), 1]);
    const expressions = [
      n.match({ name: 'mark', revision: 1, info }),
      n.counter(),
      n.immediateVerdict({ verdict: 'accept' }),
    ];
    n.commit(connection, [n.addTable(table), n.addChain(chain), n.addRule(chain, { expressions })]);
    const said = await output(['iptables-nft', '-S', 'OUTPUT']);
    const [found] = n.listRules(connection, chain) ?? [];
    n.commit(connection, [n.deleteTable(table)]);
    expect(said).toBe('-P OUTPUT ACCEPT\n-A OUTPUT -m mark ! --mark 0x10/0xf0 -j ACCEPT\n');
    const [first] = found?.expressions ?? [];
    expect(first && n.matchKind.read(first)).toMatchObject({ name: 'mark', revision: 1 });
  });

  test('what a counter counted', async () => {
    const chain: n.Chain = { table: copy, name: 'c', base: { type: 'filter', hook: 'output', priority: 0 } };
    const counting = [...udp, n.counter()];
    n.commit(connection, [n.addTable(copy), n.addChain(chain), n.addRule(chain, { expressions: counting })]);
    const receiver = await Bun.udpSocket({ hostname: '127.0.0.1' });
    const sender = await Bun.udpSocket({ hostname: '127.0.0.1' });
    for (let index = 0; index < 3; index++) sender.send('ten bytes!', receiver.port, '127.0.0.1');
    const [rule] = n.listRules(connection, chain) ?? [];
    sender.close();
    receiver.close();
    n.commit(connection, [n.deleteTable(copy)]);
    const expression = rule?.expressions.at(-1);
    if (expression === undefined) throw new Error('no rule');
    // Headers of IPv4 and UDP: 20 and 8 bytes.
    expect(n.counterKind.read(expression)).toEqual({ packets: 3n, bytes: 3n * 38n });
    expect(n.masqKind.read(expression)).toBeUndefined();
  });
});

test('the comparison fails when something is missing at the end', async () => {
  const [rule, expressions] = inFilter[0] ?? ['', []];
  const wanted = await writtenByNft(inet, nftText(chains.filter, rule));
  const short = operations(chains.filter, expressions).slice(0, -1);
  const { bytecode, json, text: words } = await writtenByUs(connection, inet, short);
  expect(bytecode).not.toEqual(wanted.bytecode);
  expect(json).not.toEqual(wanted.json);
  expect(words).not.toEqual(wanted.text);
});
