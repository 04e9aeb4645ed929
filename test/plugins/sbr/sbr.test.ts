/** sbr: rules and tables made, found missing, removed; packets that come back. */
// packages: iproute2 iputils-ping
// seconds: 120
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { type Container, createContainer, inNetns } from '../../support/container.ts';
import { add, check, del, failure, status } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { ping } from '../../support/traffic.ts';
import { type Chained, type ChainedConfig, chainAfterBridge, refusedAdd, removeChains } from '../chain.ts';

setDefaultTimeout(20_000);
afterEach(removeChains);

const sbr = { type: 'sbr' };
const cidr = ({ before }: Chained, family: 0 | 1) => before.ips?.[family]?.address ?? '';
const address = (chain: Chained, family: 0 | 1) => cidr(chain, family).replace(/\/.*/, '');
const gateway = ({ before }: Chained, family: 0 | 1) => before.ips?.[family]?.gateway ?? '';
const network = (chain: Chained, family: 0 | 1) =>
  cidr(chain, family)
    .replace(/2\/24$/, '0/24')
    .replace(/::2\/64$/, '::/64');

async function lines({ netns }: Container, command: string): Promise<string[]> {
  const { stdout } = await inNetns(netns, command.split(' '));
  return stdout
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trim())
    .filter((line) => line !== '');
}

/** The rules that are not the kernel's own. */
async function rules(container: Container, family: 4 | 6): Promise<string[]> {
  const all = await lines(container, `ip -${family} rule`);
  return all
    .filter((line) => !/lookup (local|main|default)/.test(line))
    .map((line) => line.replace(/^\d+:\s*/, ''));
}

const table = (container: Container, family: 4 | 6, name: string | number) =>
  lines(container, `ip -${family} route show table ${name}`);

/** A container whose default route is eth0's, and its second interface, for sbr. */
async function second(
  config: ChainedConfig = sbr,
  keys: object = { isDefaultGateway: true },
): Promise<Chained> {
  const first = await chainAfterBridge(sbr, {}, { isDefaultGateway: true });
  return chainAfterBridge(config, { container: first.container, ifname: 'eth1' }, keys);
}

const routing = async (container: Container) =>
  Promise.all(
    ['ip -4 rule', 'ip -6 rule', 'ip -4 route show table all', 'ip -6 route show table all'].map((command) =>
      lines(container, command),
    ),
  );

/** The kernel adds its own routes of a link a moment after it is up. */
async function settledRouting(container: Container): ReturnType<typeof routing> {
  for (let last = await routing(container); ; ) {
    await Bun.sleep(100);
    const now = await routing(container);
    if (Bun.deepEquals(last, now)) return now;
    last = now;
  }
}

test('ADD gives each address a table; the other interface’s routes stay', async () => {
  const chain = await second();
  const { container } = chain;
  const result = await chain.add();
  expect(result).toEqual(chain.before);
  expect(await rules(container, 4)).toEqual([`from ${address(chain, 0)} lookup 100`]);
  expect(await rules(container, 6)).toEqual([`from ${address(chain, 1)} lookup 101`]);
  expect(await table(container, 4, 100)).toEqual([
    `default via ${gateway(chain, 0)} dev eth1`,
    `${network(chain, 0)} dev eth1 proto kernel scope link src ${address(chain, 0)}`,
  ]);
  expect((await table(container, 6, 101)).map((line) => line.replace(/ pref medium$/, '')).sort()).toEqual([
    `default via ${gateway(chain, 1)} dev eth1 metric 1024`,
    `${network(chain, 1)} dev eth1 proto kernel metric 256`,
  ]);
  const main = [...(await table(container, 4, 'main')), ...(await table(container, 6, 'main'))];
  expect(main.filter((line) => line.includes('eth1')).map((line) => line.split(' ')[0])).toEqual([
    'fe80::/64',
  ]);
  expect(main.filter((line) => line.startsWith('default')).length).toBe(2);
  await check(chain.withResult(result));
  await del(chain.withResult(result));
  expect([await rules(container, 4), await rules(container, 6)]).toEqual([[], []]);
  expect([await table(container, 4, 'all'), await table(container, 6, 'all')].flat().join()).not.toMatch(
    /table 10[01]/,
  );
  await del(chain.withResult(result));
});

test('an address that is asked from afar answers by the interface that was asked', async () => {
  const chain = await second(sbr, {});
  const far = createContainer();
  await output(['ip', 'link', 'add', 'far0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far.id]);
  await output(['ip', 'address', 'add', '192.0.2.1/24', 'dev', 'far0']);
  await output(['ip', 'link', 'set', 'far0', 'up']);
  for (const command of [
    'ip address add 192.0.2.2/24 dev eth0',
    'ip link set eth0 up',
    'ip route add default via 192.0.2.1',
  ])
    await inNetns(far.netns, command.split(' '));
  // The node passes on only what comes by the link that leads to its source (RFC 3704, strict).
  await output(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1']);
  try {
    const [eth1] = [address(chain, 0)];
    expect(await ping(far.netns, eth1, 2)).toBe(false);
    await chain.add();
    expect(await ping(far.netns, eth1)).toBe(true);
  } finally {
    await output(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0']);
  }
});

describe('tables', () => {
  test('the next that neither a rule nor a route uses', async () => {
    const chain = await second();
    await inNetns(chain.container.netns, 'ip rule add from 198.51.100.1 lookup 100'.split(' '));
    await inNetns(chain.container.netns, 'ip route add blackhole 198.51.100.0/24 table 101'.split(' '));
    await chain.add();
    expect(await rules(chain.container, 4)).toContain(`from ${address(chain, 0)} lookup 102`);
    expect(await rules(chain.container, 6)).toEqual([`from ${address(chain, 1)} lookup 103`]);
    await check(chain.withResult(chain.before));
    await del(chain.withResult(chain.before));
    expect(await rules(chain.container, 4)).toEqual(['from 198.51.100.1 lookup 100']);
  });

  test('two interfaces at once have different ones', async () => {
    const first = await chainAfterBridge(sbr);
    const chains = await Promise.all(
      ['eth1', 'eth2', 'eth3'].map((ifname) => chainAfterBridge(sbr, { container: first.container, ifname })),
    );
    await Promise.all(chains.map((chain) => chain.add()));
    const found = [...(await rules(first.container, 4)), ...(await rules(first.container, 6))];
    expect(new Set(found.map((line) => line.split(' ').at(-1))).size).toBe(6);
    for (const chain of chains) await check(chain.withResult(chain.before));
  });

  test('a fixed one gets rules, and keeps its routes', async () => {
    const chain = await second({ type: 'sbr', table: 5000 });
    const before = await table(chain.container, 4, 'main');
    await chain.add();
    expect(await rules(chain.container, 4)).toEqual([`from ${address(chain, 0)} lookup 5000`]);
    expect(await rules(chain.container, 6)).toEqual([`from ${address(chain, 1)} lookup 5000`]);
    expect(await table(chain.container, 4, 'main')).toEqual(before);
    await check(chain.withResult(chain.before));
    await inNetns(chain.container.netns, `ip rule add from ${address(chain, 0)} lookup 7`.split(' '));
    await del(chain.withResult(chain.before));
    expect(await rules(chain.container, 4)).toEqual([`from ${address(chain, 0)} lookup 7`]);
    expect(await chain.problems(chain.before)).toContain(
      `there is no rule for packets from ${address(chain, 0)} to table 5000`,
    );
  });
});

describe('keys', () => {
  test('gateways go before the result’s', async () => {
    const chain = await second(sbr);
    const [four, six] = [gateway(chain, 0).replace(/1$/, '9'), gateway(chain, 1).replace(/1$/, '9')];
    const call = { ...chain.call, config: { ...chain.call.config, gateways: [six, four] } };
    await add(call);
    expect(await table(chain.container, 4, 100)).toContain(`default via ${four} dev eth1`);
    expect((await table(chain.container, 6, 101)).join()).toContain(`default via ${six} dev eth1`);
    await check({ ...call, config: { ...call.config, prevResult: chain.before } });
  });

  test('addSourceHints keeps the networks’ routes in the main table, with their source', async () => {
    const chain = await second({ type: 'sbr', addSourceHints: true });
    const result = await chain.add();
    const main = [...(await table(chain.container, 4, 'main')), ...(await table(chain.container, 6, 'main'))];
    expect(
      main
        .filter((line) => line.includes('eth1') && !line.startsWith('fe80'))
        .map((line) => line.replace(/ (metric|pref|scope) \w+/g, '')),
    ).toEqual([
      `${network(chain, 0)} dev eth1 src ${address(chain, 0)}`,
      `${network(chain, 1)} dev eth1 src ${address(chain, 1)}`,
    ]);
    expect(await table(chain.container, 4, 100)).toContain(`default via ${gateway(chain, 0)} dev eth1`);
    await check(chain.withResult(result));
    await inNetns(chain.container.netns, `ip route del ${network(chain, 0)} dev eth1`.split(' '));
    expect(await chain.problems(result)).toBe(
      `the main table has no route to ${network(chain, 0)} with a source address`,
    );
  });
});

describe('CHECK names each thing that somebody took away', () => {
  let chain: Chained;
  beforeEach(async () => {
    chain = await second();
    await chain.add();
  });

  test.each([
    [
      'a rule',
      () => `ip rule del from ${address(chain, 0)}`,
      () => `there is no rule for packets from ${address(chain, 0)}`,
    ],
    [
      'an IPv6 rule',
      () => `ip -6 rule del from ${address(chain, 1)}`,
      () => `there is no rule for packets from ${address(chain, 1)}`,
    ],
    [
      'the default route',
      () => 'ip route del default table 100',
      () => `table 100 has no route to 0.0.0.0/0 by ${gateway(chain, 0)} on eth1`,
    ],
    [
      'the network’s route',
      () => `ip route del ${network(chain, 0)} table 100`,
      () => `table 100 has no route to ${network(chain, 0)} on eth1`,
    ],
    [
      'an IPv6 default route',
      () => 'ip -6 route del default table 101',
      () => `table 101 has no route to ::/0 by ${gateway(chain, 1)} on eth1`,
    ],
    ['the interface', () => 'ip link del eth1', () => 'interface eth1 does not exist'],
  ])('%s', async (_, command, problem) => {
    await inNetns(chain.container.netns, command().split(' '));
    expect(await chain.problems(chain.before)).toContain(problem());
  });
});

describe('what is wrong is named', () => {
  test.each([
    [{ table: 0 }, '`table` of plugin `sbr` must be 1–4294967295, got 0'],
    [{ gateways: ['10.0.0.1', '10.0.0.2'] }, '`gateways[1]` of plugin `sbr` must be the only IPv4 address'],
    [
      { gateways: ['fd00::1', '10.0.0.1', 'fd00::2'] },
      '`gateways[2]` of plugin `sbr` must be the only IPv6 address',
    ],
    [
      { gateways: ['here'] },
      '`gateways[0]` of plugin `sbr` must be an IP address such as "10.1.0.1", got "here"',
    ],
  ])('%j', async (keys, message) => {
    const { code, msg } = await refusedAdd(await chainAfterBridge({ type: 'sbr', ...keys }));
    expect({ code, msg }).toEqual({ code: 7, msg: expect.stringContaining(message) });
  });

  test('no address, no interface, no plugin before', async () => {
    const chain = await chainAfterBridge(sbr);
    expect(
      await failure({ ...chain.withResult({ ...chain.before, ips: [] }), command: 'ADD' }),
    ).toMatchObject({
      code: 7,
      msg: 'the previous result has no address of interface eth0',
    });
    expect(await failure({ ...chain.withResult(undefined), command: 'ADD' })).toMatchObject({ code: 7 });
    await chain.removeInterface();
    expect(await refusedAdd(chain)).toMatchObject({
      code: 4,
      msg: `interface eth0 does not exist in ${chain.container.netns}`,
    });
  });

  test('a gateway that the kernel refuses leaves the routing as it was', async () => {
    const chain = await second({ type: 'sbr', gateways: ['203.0.113.1'] }, {});
    // Without a way there: eth0's default route would be one.
    await inNetns(chain.container.netns, 'ip route del default'.split(' '));
    const before = await settledRouting(chain.container);
    const error = await refusedAdd(chain);
    expect(error.msg).toContain('replace route 0.0.0.0/0 via 203.0.113.1 dev eth1 table 100');
    expect((await routing(chain.container)).map((each) => each.sort())).toEqual(
      before.map((each) => each.sort()),
    );
  });
});

test('DEL without the interface removes the rules by the result; without a namespace it is done', async () => {
  const chain = await second();
  await chain.add();
  await chain.removeInterface();
  expect(await rules(chain.container, 4)).toHaveLength(1);
  await del(chain.withResult(chain.before));
  expect([...(await rules(chain.container, 4)), ...(await rules(chain.container, 6))]).toEqual([]);
  await del(chain.withResult(undefined));
  chain.container.remove();
  await del(chain.withResult(chain.before));
  writeFileSync(chain.container.netns, '');
  await del(chain.call);
});

test('STATUS asks the kernel', async () => {
  await status({ plugin: 'sbr', config: { cniVersion: '1.1.0', name: 'x', type: 'sbr' } });
});
