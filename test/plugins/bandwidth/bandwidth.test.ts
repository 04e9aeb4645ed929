/** bandwidth: qdiscs, filters and ifbs made, found missing, removed. */
// packages: iproute2
// seconds: 120
import { afterEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { ip } from '../../support/container.ts';
import { check, del, failure, gc, status } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { type Chained, chainAfterBridge, refusedAdd, removeChains } from '../chain.ts';

afterEach(removeChains);

const limits = { ingressRate: 8e6, ingressBurst: 80_000, egressRate: 16e6, egressBurst: 160_000 };
const limited = { type: 'bandwidth', ...limits };
const nameOf = ({ call }: Chained) => (call.config as { name: string }).name;
const ifbOf = (chain: Chained) =>
  `bwp${createHash('sha512')
    .update(nameOf(chain) + chain.container.id)
    .digest('hex')
    .slice(0, 12)}`;

/** What tc says, a line each, without what is the kernel's default for a link. */
async function qdiscs(): Promise<string[]> {
  const text = await output(['tc', 'qdisc', 'show']);
  return text
    .split('\n')
    .filter((line) => /tbf|ingress/.test(line))
    .map((line) => line.trim());
}

const ifbs = async () =>
  (await ip(undefined, '-d', 'link', 'show', 'type', 'ifb')).map(({ ifname }) => ifname);

test('ADD makes what the reference makes, CHECK passes, DEL leaves nothing', async () => {
  const chain = await chainAfterBridge(limited);
  const ifb = ifbOf(chain);
  const result = await chain.add();
  const [{ address, mtu, txqlen } = {}] = await ip(undefined, 'link', 'show', ifb);
  expect({ mtu, txqlen: txqlen ?? 0 }).toEqual({ mtu: 1500, txqlen: 0 });
  expect(result).toEqual({
    ...chain.before,
    interfaces: [...(chain.before.interfaces ?? []), { name: ifb, mac: String(address) }],
  });
  expect(await qdiscs()).toEqual(
    [
      `qdisc tbf 1: dev ${chain.hostName} root refcnt 2 rate 8Mbit burst 10000b lat 25ms`,
      `qdisc ingress ffff: dev ${chain.hostName} parent ffff:fff1 ----------------`,
      `qdisc tbf 1: dev ${ifb} root refcnt 2 rate 16Mbit burst 20000b lat 25ms`,
    ].map((line) =>
      expect.stringMatching(new RegExp(`^${line.replace('refcnt 2', 'refcnt \\d+')} ?$`)),
    ) as unknown as string[],
  );
  const filters = await output(['tc', 'filter', 'show', 'dev', chain.hostName, 'ingress']);
  expect(filters).toContain(`mirred (Egress Redirect to device ${ifb}) stolen`);
  expect(filters).toContain('match 00000000/00000000 at 0');
  await check(chain.withResult(result));
  await del(chain.withResult(result));
  expect(await ifbs()).toEqual([]);
  await chain.removeInterface();
  expect(await qdiscs()).toEqual([]);
  await del(chain.withResult(result));
  chain.container.remove();
  await del(chain.withResult(undefined));
});

describe('whose limits', () => {
  const bandwidth = { ingressRate: 24e6, ingressBurst: 80_000 };

  test('the configuration’s go before the runtime’s', async () => {
    const own = { type: 'bandwidth', ingressRate: 8e6, ingressBurst: 80_000 };
    const chain = await chainAfterBridge({ ...own, runtimeConfig: { bandwidth } });
    await chain.add();
    expect((await qdiscs()).join()).toContain('rate 8Mbit');
  });

  test('the runtime’s, where the configuration names none', async () => {
    const chain = await chainAfterBridge({ type: 'bandwidth', runtimeConfig: { bandwidth } });
    await chain.add();
    expect((await qdiscs()).join()).toContain('rate 24Mbit');
  });

  test.each([
    {},
    { runtimeConfig: {} },
    { runtimeConfig: { bandwidth: { ingressRate: 0 } } },
    { egressRate: 0, runtimeConfig: { bandwidth } },
  ])('nobody’s: %j', async (keys) => {
    const chain = await chainAfterBridge({ type: 'bandwidth', ...keys });
    const result = await chain.add();
    expect(result).toEqual(chain.before);
    expect(await qdiscs()).toEqual([]);
    await check(chain.withResult(result));
    await del(chain.withResult(result));
  });
});

describe('CHECK names each thing that somebody took away', () => {
  const removals: readonly (readonly [string, (chain: Chained) => string, (chain: Chained) => string])[] = [
    [
      'the bucket on the veth',
      ({ hostName }) => `tc qdisc del dev ${hostName} root`,
      ({ hostName }) => `link ${hostName} has no token bucket (tbf)`,
    ],
    [
      'the bucket on the ifb',
      (chain) => `tc qdisc del dev ${ifbOf(chain)} root`,
      (chain) => `link ${ifbOf(chain)} has no token bucket (tbf)`,
    ],
    ['the ifb', (chain) => `ip link del ${ifbOf(chain)}`, (chain) => `link ${ifbOf(chain)} does not exist`],
    [
      'the ifb being up',
      (chain) => `ip link set ${ifbOf(chain)} down`,
      (chain) => `link ${ifbOf(chain)} is down`,
    ],
    [
      'the ingress qdisc',
      ({ hostName }) => `tc qdisc del dev ${hostName} ingress`,
      ({ hostName }) => `what arrives by link ${hostName} is not redirected`,
    ],
    [
      'the filter',
      ({ hostName }) => `tc filter del dev ${hostName} ingress`,
      ({ hostName }) => `what arrives by link ${hostName} is not redirected`,
    ],
    [
      'the rate',
      ({ hostName }) =>
        `tc qdisc change dev ${hostName} root handle 1: tbf rate 9mbit burst 10000 latency 25ms`,
      ({ hostName }) => `the token bucket of link ${hostName} has rate 1125000, it should be 1000000`,
    ],
    [
      'the interface',
      ({ hostName }) => `ip link del ${hostName}`,
      ({ container }) => `interface eth0 does not exist in ${container.netns}`,
    ],
  ];

  test.each(removals)('%s', async (_, command, problem) => {
    const chain = await chainAfterBridge(limited);
    const result = await chain.add();
    await output(command(chain).split(' '));
    expect(await chain.problems(result)).toContain(problem(chain));
  });
});

describe('what is wrong is named', () => {
  test.each([
    [{ ingressRate: 8e6 }, '`ingressRate` of plugin `bandwidth` must not be set without `ingressBurst`'],
    [{ egressBurst: 8e6 }, '`egressBurst` of plugin `bandwidth` must not be set without `egressRate`'],
    [
      { ingressRate: 8e6, ingressBurst: 34_359_738_360 },
      '`ingressBurst` of plugin `bandwidth` must be at most 34359738359 bits (4 GB), got 34359738360',
    ],
    [
      { egressRate: 7, egressBurst: 8e6 },
      '`egressRate` of plugin `bandwidth` must be at least 8 bits a second, got 7',
    ],
    [
      { runtimeConfig: { bandwidth: { egressRate: 8e6 } } },
      '`runtimeConfig.bandwidth.egressRate` of plugin `bandwidth` must not be set without `egressBurst`',
    ],
  ])('%j', async (keys, msg) => {
    const chain = await chainAfterBridge({ type: 'bandwidth', ...keys });
    expect(await refusedAdd(chain)).toMatchObject({ code: 7, msg });
    expect(await qdiscs()).toEqual([]);
  });

  test('an interface that is no veth, or whose other end nobody told of', async () => {
    const chain = await chainAfterBridge(limited);
    const untold = chain.withResult({ ...chain.before, interfaces: chain.before.interfaces?.slice(2) ?? [] });
    expect(await failure({ ...untold, command: 'ADD' })).toMatchObject({
      code: 7,
      msg: 'the other end of interface eth0 is not among the node’s interfaces in the previous result'.replace(
        '’',
        "'",
      ),
    });
    await chain.removeInterface();
    await output(['ip', '-n', chain.container.id, 'link', 'add', 'eth0', 'type', 'bridge']);
    expect(await refusedAdd(chain)).toMatchObject({
      code: 7,
      msg: "interface eth0 is a link of kind bridge, not a veth: bandwidth works on the node's end of a veth",
    });
    expect(await failure({ ...chain.withResult(undefined), command: 'ADD' })).toMatchObject({ code: 7 });
  });

  test('an ADD that fails late leaves nothing', async () => {
    const chain = await chainAfterBridge(limited);
    await output(['tc', 'qdisc', 'add', 'dev', chain.hostName, 'ingress']);
    const before = await qdiscs();
    expect((await refusedAdd(chain)).msg).toContain(`add an ingress qdisc to link ${chain.hostName}`);
    expect(await qdiscs()).toEqual(before);
    expect(await ifbs()).toEqual([]);
  });

  test('a second interface of one container in one network; its DEL leaves the first one’s limit', async () => {
    const first = await chainAfterBridge(limited);
    const result = await first.add();
    const second = await chainAfterBridge(limited, { container: first.container, ifname: 'eth1' });
    const call = { ...second.call, config: { ...second.call.config, name: nameOf(first) } };
    expect(await failure({ ...call, command: 'ADD' })).toMatchObject({
      code: 4,
      msg: `link ${ifbOf(first)} of this network and container exists already`,
    });
    await del(call);
    await check(first.withResult(result));
  });
});

test('GC removes this network’s ifbs of attachments that are gone, and no other’s', async () => {
  const [here, gone] = [await chainAfterBridge(limited), await chainAfterBridge(limited)];
  await here.add();
  await gone.add();
  await output(['ip', 'link', 'add', 'bwp000000000000', 'type', 'ifb']);
  const collect = (chain: Chained, valid: readonly object[]) =>
    gc({
      plugin: 'bandwidth',
      config: { ...chain.call.config, cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid },
    });
  await collect(here, [{ containerID: here.container.id, ifname: 'eth0' }]);
  expect(await ifbs()).toHaveLength(3);
  await collect(gone, []);
  expect((await ifbs()).sort()).toEqual([ifbOf(here), 'bwp000000000000'].sort());
});

test('STATUS asks the kernel, and changes nothing', async () => {
  const before = await output(['tc', 'qdisc', 'show']);
  await status({ plugin: 'bandwidth', config: { cniVersion: '1.1.0', name: 'x', type: 'bandwidth' } });
  expect(await output(['tc', 'qdisc', 'show'])).toBe(before);
  expect(await ifbs()).toEqual([]);
});
