/** snat, masqAll, the mark's bit and the conditions: each with packets that match and packets that do not. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { Container } from '../../support/container.ts';
import { ask, serve, stopServers } from '../../support/traffic.ts';
import {
  type Attached,
  answers,
  attach,
  call,
  cleanUp,
  createWorld,
  nft,
  node4,
  node6,
  other4,
  portmapConfig,
  publish,
  unpublish,
  world4,
  world6,
} from './network.ts';

let world: Container;
let one: Attached;
let neighbour: Attached;
const mappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
const gateway4 = '10.88.1.1';

beforeAll(async () => {
  world = await createWorld();
  one = await attach('one');
  neighbour = await attach('neighbour');
  await serve(one.netns, 'tcp', 80, 'one');
});
afterEach(() => unpublish(one));
afterAll(async () => {
  await stopServers();
  await cleanUp();
});

const source = async (from: Container | undefined, address: string, timeoutSeconds = 1) =>
  (await ask(from?.netns, 'tcp', address, 8080, { timeoutSeconds }))?.source ?? '-';

test('by default what comes from elsewhere keeps its address', async () => {
  await publish(one, { mappings });
  expect(await source(world, node4)).toBe(world4);
  expect(await source(neighbour, node4)).toBe(gateway4);
});

test('snat false: nothing is masqueraded, so what needs it does not come back', async () => {
  await publish(one, { mappings, portmap: { snat: false } });
  expect(await source(world, node4)).toBe(world4);
  expect(await source(undefined, node4)).toBe(node4);
  expect(await source(one, node4)).toBe('-');
  expect(await nft('list', 'chains')).not.toContain('portmap-mark');
});

test('masqAll: everything is masqueraded', async () => {
  await publish(one, { mappings, portmap: { masqAll: true } });
  for (const from of [world, undefined, one, neighbour]) expect(await source(from, node4)).toBe(gateway4);
  expect(await source(world, node6)).toMatch(/^fd88:1:[0:]*:1$/);
});

test('markMasqBit: the bit is the one that is masqueraded by, and no other bit is touched', async () => {
  await nft('add table inet probe; add chain inet probe p { type filter hook postrouting priority 300; }');
  await nft('add rule inet probe p tcp dport 80 meta mark 0x40000000 counter comment "bit30"');
  await nft('add rule inet probe p tcp dport 80 meta mark 0x2000 counter comment "bit13"');
  const counted = async (name: string) =>
    Number(
      new RegExp(`packets (\\d+) bytes \\d+ comment "${name}"`).exec(await nft('list table inet probe'))?.[1],
    );
  await publish(one, { mappings, portmap: { markMasqBit: 30 } });
  expect(await source(neighbour, node4)).toBe(gateway4);
  expect([await counted('bit30'), await counted('bit13')]).toEqual([1, 0]);
  await publish(one, { mappings });
  expect(await source(neighbour, node4)).toBe(gateway4);
  expect([await counted('bit30'), await counted('bit13')]).toEqual([1, 1]);
  expect(await nft('list', 'chains')).not.toContain('portmap-masquerade-30');
  await nft('delete table inet probe');
});

test.each([0, 31])('markMasqBit %d', async (markMasqBit) => {
  await publish(one, { mappings, portmap: { markMasqBit } });
  expect(await source(neighbour, node4)).toBe(gateway4);
});

describe('conditions', () => {
  /** Words for IPv4 and IPv6, and whether the world, the neighbour and the node reach the port then. */
  const cases: readonly [readonly string[], readonly string[], readonly string[]][] = [
    [
      ['-s', world4],
      ['-s', world6],
      ['one', '-', '-'],
    ],
    [
      ['!', '-s', `${world4}/24`],
      ['!', '-s', `${world6}/64`],
      ['-', 'one', '-'],
    ],
    [
      ['-i', 'up0'],
      ['--in-interface', 'up+'],
      ['one', '-', '-'],
    ],
    [
      ['!', '-i', 'up0'],
      ['!', '-i', 'up0'],
      ['-', 'one', 'one'],
    ],
    [
      ['!', '-d', '192.0.2.0/24'],
      ['!', '-d', '2001:db8::/32'],
      ['-', '-', '-'],
    ],
    [
      ['-d', node4, '-m', 'comment', '--comment', 'two words'],
      ['-d', node6],
      ['one', 'one', 'one'],
    ],
    [
      ['ip saddr', world4],
      ['ip6', 'saddr', world6],
      ['one', '-', '-'],
    ],
    [['ip saddr != 192.0.2.0/24'], ['ip6 saddr != 2001:db8::/32'], ['-', 'one', '-']],
    [['iifname "up*"'], ['meta', 'iifname', '==', 'up0'], ['one', '-', '-']],
    [['iifname', '!=', 'up0'], ['iifname != "up0"'], ['-', 'one', 'one']],
    [['-m', 'mark', '--mark', '0x1/0x1'], ['meta mark 1'], ['-', '-', '-']],
    [['-m', 'mark', '!', '--mark', '0x1/0x1'], ['mark != 0x1'], ['one', 'one', 'one']],
    [
      ['--sport', '4444'],
      ['th', 'sport', '4444'],
      ['-', '-', '-'],
    ],
    [['!', '--sport', '4444'], ['tcp sport != 4444'], ['one', 'one', 'one']],
    [
      ['-s', world4, '-i', 'up0'],
      ['-s', world6, '-i', 'cni0'],
      ['one', '-', '-'],
    ],
  ];
  const onlyIpv4 = cases.length - 1;

  test.each(cases.map((each, index) => [each[0].join(' '), each[1].join(' '), index] as const))(
    '%s, %s',
    async (_4, _6, index) => {
      const [conditionsV4, conditionsV6, expected] = cases[index] ?? [[], [], []];
      await publish(one, { mappings, portmap: { conditionsV4, conditionsV6 } });
      const from = (address: string) =>
        Promise.all(
          [world, neighbour, undefined].map((who) =>
            answers(who, 'tcp', address, 8080, { timeoutSeconds: 1 }),
          ),
        );
      expect(await from(node4)).toEqual([...expected]);
      expect(await from(node6)).toEqual(index === onlyIpv4 ? ['-', '-', '-'] : [...expected]);
    },
  );

  test('the source port that matches', async () => {
    await publish(one, { mappings, portmap: { conditionsV4: ['--sport', '4444'] } });
    expect(await answers(world, 'tcp', node4, 8080, { sourcePort: 4444 })).toBe('one');
  });

  test('the mark that matches', async () => {
    await nft('add table inet marks; add chain inet marks p { type filter hook prerouting priority -200; }');
    await nft('add rule inet marks p iifname "up0" meta mark set 0x81');
    await publish(one, { mappings, portmap: { conditionsV4: ['-m', 'mark', '--mark', '0x1/0x1'] } });
    expect(await answers(world, 'tcp', node4, 8080)).toBe('one');
    expect(await answers(neighbour, 'tcp', node4, 8080)).toBe('-');
    await nft('delete table inet marks');
  });

  test('masquerading stays as it is without conditions', async () => {
    await publish(one, { mappings, portmap: { conditionsV4: ['!', '-s', '203.0.113.0/24'] } });
    expect(await source(neighbour, node4)).toBe(gateway4);
    expect(await source(one, node4)).toBe(gateway4);
    expect(await source(world, node4)).toBe(world4);
  });

  test('where the port of an address does not match, the port of all addresses is next', async () => {
    await serve(neighbour.netns, 'tcp', 80, 'neighbour');
    await publish(neighbour, { mappings });
    await publish(one, {
      mappings: [{ ...mappings[0], hostPort: 8080, containerPort: 80, hostIP: node4 }],
      portmap: { conditionsV4: ['-i', 'cni0'] },
    });
    expect(await answers(world, 'tcp', node4, 8080)).toBe('neighbour');
    expect(await answers(neighbour, 'tcp', node4, 8080)).toBe('one');
    expect(await answers(neighbour, 'tcp', other4, 8080)).toBe('neighbour');
    await unpublish(neighbour);
  });

  const conditions = [
    ['conditionsV4', ['-m', 'owner', '--uid-owner', '0'], 'cannot be "-m owner"'],
    ['conditionsV4', ['-m', 'conntrack', '--ctstate', 'NEW'], 'cannot be "-m conntrack"'],
    ['conditionsV4', ['-p', 'tcp'], 'cannot be "-p"'],
    ['conditionsV4', ['-s', 'fd00::1'], 'must have an IPv4 address or network after "-s", got "fd00::1"'],
    [
      'conditionsV6',
      ['-s', '10.0.0.0/8'],
      'must have an IPv6 address or network after "-s", got "10.0.0.0/8"',
    ],
    ['conditionsV4', ['-s'], 'must have an address after "-s"'],
    ['conditionsV4', ['-i', 'a-name-that-is-too-long'], "must have an interface's name"],
    ['conditionsV4', ['!', 'ip', 'saddr', '10.0.0.1'], 'must not have "!" before "ip"'],
    ['conditionsV4', ['ip6', 'saddr', 'fd00::1'], 'cannot match "ip6" in IPv4'],
    ['conditionsV6', ['ct', 'state', 'new'], 'cannot be "ct"'],
    ['conditionsV4', ['-m', 'mark', '--mark', '0x100000000'], 'must have a mark such as'],
    ['conditionsV4', ['--sport', '1024:65535'], 'must have a port 0–65535, got "1024:65535"'],
  ] as const;
  test.each(conditions)('%s %p cannot be said: an error of ADD, none of DEL', async (key, words, message) => {
    const config = portmapConfig('cni0', one.result, { mappings, portmap: { [key]: words } });
    const added = await call('ADD', one, config);
    expect(added.json).toMatchObject({ code: 7 });
    expect((added.json as { msg: string }).msg).toStartWith(`\`${key}\` of plugin \`portmap\` ${message}`);
    expect((await call('DEL', one, config)).exitCode).toBe(0);
    expect((await call('STATUS', one, config)).json).toMatchObject({ code: 50 });
  });
});

test('externalSetMarkChain: an error of ADD and STATUS that says what to do, none of DEL', async () => {
  const config = portmapConfig('cni0', one.result, {
    mappings,
    portmap: { externalSetMarkChain: 'KUBE-MARK-MASQ' },
  });
  const added = await call('ADD', one, config);
  expect(added.json).toMatchObject({
    code: 7,
    msg: '`externalSetMarkChain` of plugin `portmap` must be left out: it names a chain of iptables, and Fairlead writes nftables; set `markMasqBit` to the bit that the chain sets',
  });
  expect((await call('STATUS', one, config)).json).toMatchObject({ code: 50 });
  expect((await call('DEL', one, config)).exitCode).toBe(0);
  const both = { ...config, markMasqBit: 14 };
  expect((await call('ADD', one, both)).json).toMatchObject({
    code: 7,
    msg: expect.stringContaining('must not be set together'),
  });
});
