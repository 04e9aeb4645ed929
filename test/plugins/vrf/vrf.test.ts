/** vrf: made, entered, found missing, left and removed; addresses and routes kept. */
// kernels: second
// packages: iproute2
// seconds: 120
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type Container, inNetns, ip } from '../../support/container.ts';
import { check, del, failure, status } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';
import { type Chained, chainAfterBridge, refusedAdd, removeChains } from '../chain.ts';

setDefaultTimeout(limit(20));
afterEach(removeChains);

const blue = { type: 'vrf', vrfname: 'blue' };
const withRoutes = { isDefaultGateway: true };

const run = ({ netns }: Container, command: string) => inNetns(netns, command.split(' '));

async function vrfs({ netns }: Container): Promise<Record<string, unknown>> {
  const found = await ip(netns, '-d', 'link', 'show', 'type', 'vrf');
  return Object.fromEntries(
    found.map(({ ifname, linkinfo }) => [
      ifname,
      (linkinfo as { info_data: { table: number } }).info_data.table,
    ]),
  );
}

async function ports({ netns }: Container, vrf: string): Promise<unknown[]> {
  return (await ip(netns, 'link', 'show', 'master', vrf)).map(({ ifname }) => ifname).sort();
}

/** The lines of a table, without what the kernel makes for itself. */
async function table({ netns }: Container, family: 4 | 6, name: string): Promise<string[]> {
  const { stdout } = await inNetns(netns, ['ip', `-${family}`, 'route', 'show', 'table', name]);
  return stdout
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trim())
    .filter((line) => line !== '' && !/^(local|broadcast|anycast|multicast|fe80)/.test(line))
    .sort();
}

async function globalAddresses({ netns }: Container): Promise<string[]> {
  const [found] = await ip(netns, 'address', 'show', 'dev', 'eth0', 'scope', 'global');
  return ((found?.addr_info ?? []) as { local: string; prefixlen: number }[]).map(
    (one) => `${one.local}/${one.prefixlen}`,
  );
}

const cidr = ({ before }: Chained, family: 0 | 1) => before.ips?.[family]?.address ?? '';
const gateway = ({ before }: Chained, family: 0 | 1) => before.ips?.[family]?.gateway ?? '';

test('ADD makes the vrf; addresses and routes are in its table, and packets pass', async () => {
  const chain = await chainAfterBridge(blue, {}, withRoutes);
  const { container } = chain;
  const addresses = await globalAddresses(container);
  const before = [await table(container, 4, 'main'), await table(container, 6, 'main')];
  const result = await chain.add();
  expect(result).toEqual(chain.before);
  expect(await vrfs(container)).toEqual({ blue: 1 });
  expect(await ports(container, 'blue')).toEqual(['eth0']);
  expect((await globalAddresses(container)).sort()).toEqual(addresses.sort());
  expect([await table(container, 4, '1'), await table(container, 6, '1')]).toEqual(before);
  expect([await table(container, 4, 'main'), await table(container, 6, 'main')]).toEqual([[], []]);
  expect(await ping(undefined, cidr(chain, 0).replace(/\/.*/, ''))).toBe(true);
  expect(await ping(undefined, cidr(chain, 1).replace(/\/.*/, ''))).toBe(true);
  await check(chain.withResult(result));
  await del(chain.withResult(result));
  expect(await vrfs(container)).toEqual({});
  await del(chain.withResult(result));
});

test('IPv6 addresses that the kernel would drop, and routes of every scope and table, are kept', async () => {
  const chain = await chainAfterBridge(blue, {}, withRoutes);
  const { container } = chain;
  await run(
    container,
    'sysctl -qw net.ipv6.conf.all.keep_addr_on_down=0 net.ipv6.conf.eth0.keep_addr_on_down=0',
  );
  await run(container, 'ip route add 198.51.100.0/24 dev eth0 scope link');
  await run(container, `ip route add 203.0.113.0/24 via ${gateway(chain, 0)} mtu 1400 metric 7`);
  await run(container, `ip route add 192.0.2.0/24 via ${gateway(chain, 0)} table 77`);
  await run(container, `ip route add 2001:db8::/32 via ${gateway(chain, 1)} metric 9`);
  const addresses = await globalAddresses(container);
  const before = [await table(container, 4, 'main'), await table(container, 6, 'main')];
  const other = await table(container, 4, '77');
  expect(other).toHaveLength(1);
  await chain.add();
  expect((await globalAddresses(container)).sort()).toEqual(addresses.sort());
  expect([await table(container, 4, '1'), await table(container, 6, '1')]).toEqual(before);
  expect(await table(container, 4, '77')).toEqual(other);
  await check(chain.withResult(chain.before));
});

test('several interfaces of one vrf: it goes with the last', async () => {
  const first = await chainAfterBridge(blue);
  const { container } = first;
  const second = await chainAfterBridge({ ...blue, table: 1 }, { container, ifname: 'eth1' });
  const third = await chainAfterBridge({ type: 'vrf', vrfname: 'red' }, { container, ifname: 'eth2' });
  for (const chain of [first, second, third]) await chain.add();
  expect(await vrfs(container)).toEqual({ blue: 1, red: 2 });
  expect(await ports(container, 'blue')).toEqual(['eth0', 'eth1']);
  for (const chain of [first, second, third]) await check(chain.withResult(chain.before));
  await del(first.call);
  expect(await ports(container, 'blue')).toEqual(['eth1']);
  await second.removeInterface();
  await del(second.call);
  expect(await vrfs(container)).toEqual({ red: 2 });
});

describe('tables', () => {
  test('a fixed one', async () => {
    const chain = await chainAfterBridge({ ...blue, table: 1001 });
    await chain.add();
    expect(await vrfs(chain.container)).toEqual({ blue: 1001 });
    await check(chain.withResult(chain.before));
  });

  test('the next that no vrf, rule or route uses', async () => {
    const chain = await chainAfterBridge(blue);
    await run(chain.container, 'ip link add green type vrf table 1');
    await run(chain.container, 'ip rule add from 192.0.2.1 lookup 2');
    await run(chain.container, 'ip -6 route add blackhole 2001:db8::/32 table 3');
    await chain.add();
    expect(await vrfs(chain.container)).toEqual({ green: 1, blue: 4 });
  });

  test('another one than the vrf has is an error', async () => {
    const chain = await chainAfterBridge({ ...blue, table: 5 });
    await run(chain.container, 'ip link add blue type vrf table 6');
    expect(await refusedAdd(chain)).toMatchObject({
      code: 7,
      msg: '`table` of plugin `vrf` is 5, and vrf blue exists with table 6',
    });
    expect(await vrfs(chain.container)).toEqual({ blue: 6 });
  });
});

describe('CHECK names each thing that somebody took away', () => {
  let chain: Chained;
  beforeEach(async () => {
    chain = await chainAfterBridge({ ...blue, table: 9 }, {}, withRoutes);
    chain = { ...chain, before: await chain.add() };
  });

  test.each([
    ['the vrf', () => 'ip link del blue', () => 'vrf blue does not exist'],
    ['the vrf being up', () => 'ip link set blue down', () => 'vrf blue is down'],
    ['the interface in it', () => 'ip link set eth0 nomaster', () => 'interface eth0 is not in vrf blue'],
    ['the interface', () => 'ip link del eth0', () => 'interface eth0 does not exist'],
    [
      'an address',
      () => `ip address del ${cidr(chain, 1)} dev eth0`,
      () => `interface eth0 has no address ${cidr(chain, 1)}`,
    ],
    [
      'the default route',
      () => 'ip route del default table 9',
      () => `there is no route to 0.0.0.0/0 by ${gateway(chain, 0)} on eth0`,
    ],
    [
      'the IPv6 default route',
      () => 'ip -6 route del default table 9',
      () => `there is no route to ::/0 by ${gateway(chain, 1)} on eth0`,
    ],
  ])('%s', async (_, command, problem) => {
    await run(chain.container, command());
    expect(await chain.problems(chain.before)).toContain(problem());
  });
});

describe('what cannot be', () => {
  test('an interface that is in another vrf or a bridge', async () => {
    const chain = await chainAfterBridge(blue);
    await run(chain.container, 'ip link add green type vrf table 1');
    await run(chain.container, 'ip link set eth0 master green');
    expect(await refusedAdd(chain)).toMatchObject({
      code: 4,
      msg: 'interface eth0 is a port of link green already',
    });
    expect(await vrfs(chain.container)).toEqual({ green: 1 });
  });

  test('no interface, and no plugin before', async () => {
    const chain = await chainAfterBridge(blue);
    expect(await failure({ ...chain.withResult(undefined), command: 'ADD' })).toMatchObject({ code: 7 });
    await chain.removeInterface();
    expect(await refusedAdd(chain)).toMatchObject({ code: 4 });
    expect(await vrfs(chain.container)).toEqual({});
    await del(chain.call);
    chain.container.remove();
    await del(chain.call);
  });
});

test('STATUS asks the kernel, and makes nothing', async () => {
  await status({ plugin: 'vrf', config: { cniVersion: '1.1.0', name: 'x', ...blue } });
  expect(await ip(undefined, 'link', 'show', 'type', 'vrf')).toEqual([]);
});
