/**
 * A drop-in: for one configuration the reference's host-local and ours give the same result and leave the same files,
 * each goes on with what the other left, and both at once on one store do not get into each other's way.
 */
// packages: containernetworking-plugins
import { describe, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { reference } from '../../support/reference.ts';
import {
  check,
  type Extra,
  filesOf,
  give,
  type Network,
  network,
  reservationsOf,
  resultOf,
  storeOf,
  take,
} from './network.ts';

const ours: Extra = {};
const theirs: Extra = { binDirectory: reference };

const resolvConf = `# a comment
; another
nameserver 192.0.2.53
  nameserver  fd00::53
domain example.net
search a.example b.example
options ndots:2 rotate
search c.example
options
`;

const v4 = { subnet: '10.1.0.0/24' };
const v6 = { subnet: 'fd00:1::/64' };

const configurations: readonly [what: string, ipam: object, others?: object, extra?: Extra][] = [
  ['one range', { ranges: [[v4]] }],
  ['the legacy form', v4],
  ['the legacy form before `ranges`', { ...v4, ranges: [[v6]] }],
  ['two families', { ranges: [[v4], [v6]] }],
  ['several ranges in a set', { ranges: [[{ subnet: '10.1.0.0/30' }, { subnet: '10.2.0.0/30' }]] }],
  [
    'start, end and gateway',
    { ranges: [[{ ...v4, rangeStart: '10.1.0.10', rangeEnd: '10.1.0.12', gateway: '10.1.0.254' }]] },
  ],
  [
    'a range that starts with its gateway',
    { ranges: [[{ ...v4, rangeStart: '10.1.0.7', gateway: '10.1.0.7' }]] },
  ],
  ['a gateway elsewhere', { ranges: [[{ ...v4, gateway: '192.0.2.1' }]] }],
  ['texts that are empty', { ...v4, rangeStart: '', rangeEnd: '', gateway: '', resolvConf: '' }],
  ['keys that are null', { ...v4, rangeStart: null, ranges: null, routes: null, dataDir: null }],
  ['keys in other letters', { RANGES: [[{ Subnet: '10.1.0.0/24', rangestart: '10.1.0.9' }]] }],
  [
    'IPv6 not in its canonical form',
    { ranges: [[{ subnet: 'FD00:0:0:1::/64', rangeStart: 'fd00:0:0:1:0:0:0:0A' }]] },
  ],
  ['the smallest networks', { ranges: [[{ subnet: '10.1.0.0/30' }], [{ subnet: 'fd00::/126' }]] }],
  [
    'routes',
    {
      ...v4,
      routes: [
        { dst: '0.0.0.0/0' },
        { dst: '10.9.0.7/16', gw: '10.1.0.3' },
        { dst: 'FD00::/8', gw: 'FD00::1' },
      ],
    },
  ],
  ['resolvConf', { ...v4, resolvConf: '/run/resolv.conf' }],
  ['another dataDir', { ...v4, dataDir: '/run/cni/reservations' }],
  ['CNI_ARGS IP', v4, {}, { args: 'IgnoreUnknown=1;K8S_POD_NAME=pod;IP=10.1.0.9' }],
  ['CNI_ARGS IP with a prefix length', v4, {}, { args: 'IP=10.1.0.9/16' }],
  ['CNI_ARGS IP, empty', v4, {}, { args: 'IP=' }],
  ['args.cni.ips', v4, { args: { cni: { ips: ['10.1.0.9'] } } }],
  ['runtimeConfig.ips', { ranges: [[v4], [v6]] }, { runtimeConfig: { ips: ['fd00:1::9/64', '10.1.0.9'] } }],
  ['IPv4 in IPv6 form', v4, { runtimeConfig: { ips: ['::ffff:10.1.0.9'] } }],
  [
    'one address asked for everywhere',
    v4,
    { args: { cni: { ips: ['10.1.0.9'] } }, runtimeConfig: { ips: ['10.1.0.9/24'] } },
    { args: 'IP=10.1.0.9' },
  ],
  [
    'addresses from all sources',
    { ranges: [[v4], [v6], [{ subnet: '10.3.0.0/24' }]] },
    { args: { cni: { ips: ['fd00:1::9'] } }, runtimeConfig: { ips: ['10.3.0.9'] } },
    { args: 'IP=10.1.0.9' },
  ],
  [
    'runtimeConfig.ipRanges before the others',
    { ...v4, ranges: [[v6]] },
    { runtimeConfig: { ipRanges: [[{ subnet: '10.3.0.0/24' }]] } },
  ],
];

/** A second container gets another address, unless one was asked for that cannot be had twice, or there is one only. */
function idsOf(config: Network, extra: Extra): readonly string[] {
  const asks = /"ips":\[|\/(30|126)"/.test(JSON.stringify(config)) || /IP=1/.test(extra.args ?? '');
  return asks ? ['one'] : ['one', 'two'];
}

/** Debian's 1.1.1 still prints an empty `dns` in results of version 1.0.0; 1.9.1 leaves it out, and so do we. */
function withoutEmptyDns(result: unknown): unknown {
  const { dns, ...others } = result as { readonly dns?: object };
  return dns === undefined || Object.keys(dns).length === 0 ? others : result;
}

async function life(config: Network, extra: Extra) {
  const results = [];
  for (const id of idsOf(config, extra)) results.push(withoutEmptyDns(await resultOf(config, id, extra)));
  const files = filesOf(config);
  if (config.cniVersion >= '0.4.0') await check(config, 'one', extra);
  await take(config, 'one', extra);
  return { results, files, after: filesOf(config) };
}

describe('the same result and the same files', () => {
  writeFileSync('/run/resolv.conf', resolvConf);

  test.each(configurations.map((each) => [each[0], each] as const))(
    '%s',
    async (_, [, ipam, others, extra]) => {
      const config = network(ipam, others);
      const expected = await life(config, { ...extra, ...theirs });
      rmSync(storeOf(config), { recursive: true });
      expect(await life(config, { ...extra, ...ours })).toEqual(expected);
    },
  );

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'])('version %s', async (cniVersion) => {
    const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0', gw: 'fd00:1::9' }];
    const config = network({ ranges: [[v4], [v6]], routes, resolvConf: '/run/resolv.conf' }, { cniVersion });
    const expected = await life(config, theirs);
    rmSync(storeOf(config), { recursive: true });
    expect(await life(config, ours)).toEqual(expected);
  });
});

describe.each([
  ['the reference', theirs, 'ours', ours],
  ['ours', ours, 'the reference', theirs],
])('%s adds', (_one, first, _other, second) => {
  const both = { ranges: [[v4], [v6]] };

  test('the other checks and deletes', async () => {
    const config = network(both);
    await give(config, 'alice', first);
    await give(config, 'bob', first);
    await check(config, 'alice', second);
    await take(config, 'alice', second);
    expect(reservationsOf(config)).toEqual({ '10.1.0.3': 'bob/eth0', 'fd00:1::3': 'bob/eth0' });
    await expect(check(config, 'alice', first)).rejects.toThrow('alice');
    await expect(check(config, 'alice', second)).rejects.toThrow('alice');
    await take(config, 'bob', first);
    expect(reservationsOf(config)).toEqual({});
  });

  test('the other goes on with the next address, refuses the same attachment, and knows what is taken', async () => {
    const config = network(both);
    expect(await give(config, 'alice', first)).toEqual(['10.1.0.2/24', 'fd00:1::2/64']);
    expect(await give(config, 'bob', second)).toEqual(['10.1.0.3/24', 'fd00:1::3/64']);
    await expect(give(config, 'bob', first)).rejects.toThrow('has been allocated to');
    expect(await give(config, 'carol', first)).toEqual(['10.1.0.4/24', 'fd00:1::4/64']);
    await expect(give(config, 'dave', { ...second, args: 'IP=10.1.0.4' })).rejects.toThrow('10.1.0.4');
    expect(await give(config, 'dave', second)).toEqual(['10.1.0.5/24', 'fd00:1::5/64']);
  });

  test('an address that an operator frees by hand is free for both, and nobody else loses one', async () => {
    const config = network({ ranges: [[{ ...v4, rangeEnd: '10.1.0.3' }]] });
    await give(config, 'alice', first);
    await give(config, 'bob', second);
    rmSync(`${storeOf(config)}/10.1.0.2`);
    await take(config, 'alice', second);
    expect(await give(config, 'carol', second)).toEqual(['10.1.0.2/24']);
    await take(config, 'alice', first);
    expect(reservationsOf(config)).toEqual({ '10.1.0.2': 'carol/eth0', '10.1.0.3': 'bob/eth0' });
  });
});

/** Numbers that look random and are the same in every run (a linear congruential generator, Numerical Recipes'). */
function chooser(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each([1, 2, 3])(
  '120 calls by one or the other, by chance (%d): each does what the other would',
  async (seed) => {
    const choose = chooser(seed);
    const config = network({ ranges: [[{ subnet: '10.1.0.0/28' }]] });
    // The addresses in order; who has which; the one given last.
    const order = Array.from({ length: 13 }, (_, index) => `10.1.0.${index + 2}`);
    const model = new Map<string, string>();
    let last = order.length - 1;

    for (let step = 0; step < 120; step++) {
      const side = choose(2) === 0 ? ours : theirs;
      const id = `c${choose(18)}`;
      const held = [...model].find(([, owner]) => owner === `${id}/eth0`)?.[0];
      const turn = [...order.slice(last + 1), ...order.slice(0, last + 1)];
      const next = turn.find((address) => !model.has(address));
      switch (choose(5)) {
        case 0:
        case 1: {
          const outcome = await give(config, id, side).catch(() => [] as string[]);
          const expected = held === undefined ? next : undefined;
          expect({ step, id, outcome }).toEqual({
            step,
            id,
            outcome: expected === undefined ? [] : [`${expected}/28`],
          });
          if (expected === undefined) break;
          model.set(expected, `${id}/eth0`);
          last = order.indexOf(expected);
          break;
        }
        case 2: {
          const outcome = await check(config, id, side).then(
            () => true,
            () => false,
          );
          expect({ step, id, outcome }).toEqual({ step, id, outcome: held !== undefined });
          break;
        }
        case 3:
          await take(config, id, side);
          if (held !== undefined) model.delete(held);
          break;
        default: {
          // An operator frees an address by hand.
          const address = order[choose(order.length)] ?? '';
          rmSync(`${storeOf(config)}/${address}`, { force: true });
          model.delete(address);
        }
      }
      expect({ step, held: reservationsOf(config) }).toEqual({ step, held: Object.fromEntries(model) });
    }
  },
  60_000,
);

test('both at once on one store: every container has its own addresses, and all are freed', async () => {
  const config = network({ ranges: [[v4], [v6]] });
  const ids = Array.from({ length: 40 }, (_, index) => `c${index}`);
  const sideOf = (index: number) => (index % 2 === 0 ? ours : theirs);
  const given = await Promise.all(ids.map((id, index) => give(config, id, sideOf(index))));
  expect(new Set(given.flat()).size).toBe(80);
  const kept = ids.filter((_, index) => index % 4 >= 2);
  const gone = ids.filter((_, index) => index % 4 < 2);
  // Each frees what the other gave, while new ones come.
  await Promise.all([
    ...gone.map((id, index) => take(config, id, sideOf(index + 1))),
    ...gone.map((id, index) => give(config, `new-${id}`, sideOf(index))),
  ]);
  const holders = Object.values(reservationsOf(config)).sort();
  const expected = [...kept, ...gone.map((id) => `new-${id}`)].map((id) => `${id}/eth0`);
  expect(holders).toEqual([...expected, ...expected].sort());
}, 60_000);

test.each([
  ['ours', ours],
  ['the reference', theirs],
])('%s waits for the lock that anyone holds with flock(1)', async (_, side) => {
  const config = network({ ranges: [[v4]] });
  await give(config, 'alice', ours);
  const holder = Bun.spawn(['flock', `${storeOf(config)}/lock`, 'sh', '-c', 'echo held; read line'], {
    stdin: 'pipe',
    stdout: 'pipe',
  });
  await holder.stdout.getReader().read();
  let finished = false;
  const waiting = give(config, 'bob', side).then((addresses) => {
    finished = true;
    return addresses;
  });
  await Bun.sleep(300);
  expect(finished).toBe(false);
  holder.stdin.write('\n');
  holder.stdin.end();
  expect(await waiting).toEqual(['10.1.0.3/24']);
  await holder.exited;
});
