/** ptp, with packets: the node routes between containers, each at the end of a cable of its own. */
// packages: iproute2 iputils-ping nftables
// seconds: 90
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Container, createContainer, inNetns, ip, removeContainers } from '../../support/container.ts';
import { type AddResult, add, check, del, failure, gc, type NamedCall } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { ask, ping, serve, stopServers } from '../../support/traffic.ts';

beforeEach(async () => {
  await output([
    'sh',
    '-c',
    'echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding',
  ]);
});
afterEach(async () => {
  await stopServers();
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'veth'))
    await Bun.$`ip link delete ${String(ifname)}`.nothrow().quiet();
  removeContainers();
  await output(['nft', 'flush', 'ruleset']);
});

let count = 0;

/** A network that no other test has, of both families, with a default route. */
function network(keys: object = {}) {
  count++;
  const ranges = [[{ subnet: `10.${count}.0.0/24` }], [{ subnet: `fd00:${count}::/64` }]];
  const ipam = { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] };
  return { cniVersion: '1.1.0', name: `net${count}`, type: 'ptp', ipam, ...keys };
}

interface Attached {
  readonly container: Container;
  readonly result: AddResult;
  readonly call: NamedCall;
  readonly hostName: string;
  readonly addresses: readonly string[];
}

async function attach(config: object, container = createContainer()): Promise<Attached> {
  const result = await add({ plugin: 'ptp', config, container });
  const call = { plugin: 'ptp', container, config: { ...config, prevResult: result } };
  const addresses = (result.ips ?? []).map(({ address }) => address.slice(0, address.indexOf('/')));
  return { container, result, call, addresses, hostName: result.interfaces?.[0]?.name ?? '' };
}

const routesOf = async (netns: string | undefined, dev: string) =>
  (await Promise.all(['-4', '-6'].map((family) => ip(netns, family, 'route', 'show', 'dev', dev))))
    .flat()
    .map(({ dst, gateway, scope, prefsrc }) =>
      [dst, gateway, scope, prefsrc].filter((word) => word).join(' '),
    )
    .filter((line) => !line.startsWith('fe80'))
    .sort();

test('the result, and both ends as the reference makes them', async () => {
  const config = network({ mtu: 1400 });
  const { result, container, hostName, addresses } = await attach(config);
  const [four = '', six = ''] = addresses;
  expect(hostName).toMatch(/^veth[0-9a-f]{8}$/);
  expect(result.ips).toEqual([
    { address: `${four}/24`, gateway: `10.${count}.0.1`, interface: 1 },
    { address: `${six}/64`, gateway: `fd00:${count}::1`, interface: 1 },
  ]);
  expect(result.interfaces?.map(({ name, sandbox }) => [name, sandbox])).toEqual([
    [hostName, undefined],
    ['eth0', container.netns],
  ]);
  expect(result.routes).toEqual([{ dst: '0.0.0.0/0' }, { dst: '::/0' }]);
  expect(await routesOf(container.netns, 'eth0')).toEqual(
    [
      `default 10.${count}.0.1`,
      `10.${count}.0.0/24 10.${count}.0.1 ${four}`,
      `10.${count}.0.1 link ${four}`,
      `default fd00:${count}::1`,
      `fd00:${count}::/64 fd00:${count}::1 ${six}`,
      `fd00:${count}::1 ${six}`,
    ].sort(),
  );
  expect(await routesOf(undefined, hostName)).toEqual([`${four} host`, six, `fd00:${count}::1`].sort());
  for (const netns of [undefined, container.netns]) {
    const name = netns === undefined ? hostName : 'eth0';
    expect((await ip(netns, 'link', 'show', name))[0]?.mtu).toBe(1400);
  }
});

test('two containers reach each other and the node, by the node; CHECK passes', async () => {
  const config = network();
  const [one, other] = [await attach(config), await attach(config)];
  for (const address of [...other.addresses, `10.${count}.0.1`, `fd00:${count}::1`])
    expect(await ping(one.container.netns, address)).toBe(true);
  for (const address of one.addresses) expect(await ping(undefined, address)).toBe(true);
  // By the node, not on a segment of their own.
  const { stdout } = await inNetns(one.container.netns, [
    'ping',
    '-c1',
    '-t1',
    '-W1',
    other.addresses[0] ?? '',
  ]);
  expect(stdout).toContain('Time to live exceeded');
  for (const { call } of [one, other]) await check(call);
});

test.each([
  ['10.77.0.5/32', '10.77.0.1'],
  ['fd00:77::5/128', 'fd00:77::1'],
])('an address without a subnet: %s', async (address, gateway) => {
  const dst = address.includes(':') ? '::/0' : '0.0.0.0/0';
  const ipam = { type: 'static', addresses: [{ address, gateway }], routes: [{ dst }] };
  const { container, call } = await attach(network({ ipam }));
  expect(await ping(container.netns, gateway)).toBe(true);
  await check(call);
});

test('two addresses of one subnet', async () => {
  const addresses = ['10.78.0.5/24', '10.78.0.6/24'].map((address) => ({ address, gateway: '10.78.0.1' }));
  const { container, call, addresses: own } = await attach(network({ ipam: { type: 'static', addresses } }));
  expect(await ping(container.netns, '10.78.0.1')).toBe(true);
  for (const address of own) expect(await ping(undefined, address)).toBe(true);
  await check(call);
});

test('ipMasq: a server outside sees the node; without, the container', async () => {
  const outside = createContainer();
  await output([
    'ip',
    'link',
    'add',
    'up0',
    'type',
    'veth',
    'peer',
    'name',
    'up0',
    'netns',
    outside.netns.split('/').at(-1) ?? '',
  ]);
  await output([
    'sh',
    '-ec',
    'ip address add 192.0.2.1/24 dev up0; ip -6 address add 2001:db8::1/64 dev up0 nodad; ip link set up0 up',
  ]);
  for (const command of [
    ['address', 'add', '192.0.2.2/24', 'dev', 'up0'],
    ['address', 'add', '2001:db8::2/64', 'dev', 'up0', 'nodad'],
    ['link', 'set', 'up0', 'up'],
    ['route', 'add', 'default', 'via', '192.0.2.1'],
    ['-6', 'route', 'add', 'default', 'via', '2001:db8::1'],
  ])
    expect(await inNetns(outside.netns, ['ip', ...command])).toMatchObject({ exitCode: 0 });
  await serve(outside.netns, 'tcp', 7000, 'outside');
  const [masked, plain] = [await attach(network({ ipMasq: true })), await attach(network())];
  await check(masked.call);
  const source = async ({ container }: Attached, address: string) =>
    (await ask(container.netns, 'tcp', address, 7000))?.source;
  expect(await source(masked, '192.0.2.2')).toBe('192.0.2.1');
  expect(await source(masked, '2001:db8::2')).toBe('2001:db8::1');
  expect(await source(plain, '192.0.2.2')).toBe(plain.addresses[0]);
  const ruleset = () => output(['nft', 'list', 'ruleset']);
  expect(await ruleset()).toContain(masked.container.id);
  await del(masked.call);
  expect(await ruleset()).not.toContain(masked.container.id);
});

/** On the node or (`@`) in the container; N stands for the node's end, 4 and 6 for addresses. */
const damages: [command: string, message: RegExp][] = [
  ['@ip link set eth0 down', /interface eth0 is down/],
  ['@ip link delete eth0', /interface eth0 does not exist in/],
  [
    '@ip link delete eth0; ip link add eth0 type ifb',
    /interface eth0 is a link of kind ifb, not of kind veth/,
  ],
  ['@ip address delete 4/24 dev eth0', /interface eth0 has no address 4\/24/],
  ['@ip -6 route delete default', /no route to ::\/0/],
  ['@ip route delete 4.0.0/24', /there is no route 10\.\d+\.0\.0\/24 via 10\./],
  ['@ip route replace 4.0.0/24 dev eth0', /there is no route 10\.\d+\.0\.0\/24 via 10\./],
  ['@ip link set eth0 mtu 1300', /interface eth0 has MTU 1300, `mtu` says 1400/],
  ['@ip link set eth0 address 02:00:00:00:00:01', /interface eth0 has hardware address 02:/],
  ['ip link set N down', /link N is down/],
  ['ip link set N mtu 1300', /interface N has MTU 1300/],
  ['ip link set N address 02:00:00:00:00:01', /link N has hardware address 02:/],
  ['ip address flush dev N', /link N has no address .*, the container's gateway/],
  ['ip route flush dev N', /there is no route/],
  ['ip -6 route flush dev N', /there is no route/],
  ['ip link delete N', /interface eth0 does not exist/],
  ['sysctl -qw net.ipv4.ip_forward=0', /does not forward: net\/ipv4\/ip_forward is off/],
  ['nft flush ruleset', /masquerad/],
];

describe('CHECK names what is missing or changed', () => {
  test.each(damages)('%s', async (command, message) => {
    const attached = await attach(network({ ipMasq: true, mtu: 1400 }));
    await check(attached.call);
    const fill = (text: string) =>
      text
        .replaceAll(/\bN\b/g, attached.hostName)
        .replaceAll(/(?<= )4\.0\.0/g, `10.${count}.0.0`)
        .replaceAll(/(?<= )4(?=\\?\/)/g, attached.addresses[0] ?? '');
    const netns = command.startsWith('@') ? attached.container.netns : '/proc/self/ns/net';
    const ended = await inNetns(netns, ['sh', '-ec', fill(command.replace('@', ''))]);
    expect(ended).toMatchObject({ exitCode: 0 });
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    expect(error.code).toBe(102);
    expect(`${error.msg}; ${error.details ?? ''}`).toMatch(new RegExp(fill(message.source)));
  });
});

test('DEL removes all, also without the namespace, and has nothing to do again', async () => {
  const one = await attach(network({ ipMasq: true }));
  await del(one.call);
  expect((await ip(one.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  expect(await ip(undefined, 'link', 'show', 'type', 'veth')).toEqual([]);
  await del(one.call);
  const other = await attach(network());
  await del({ plugin: 'ptp', config: other.call.config ?? {}, containerId: other.container.id });
  expect(await ip(undefined, 'link', 'show', 'type', 'veth')).toEqual([]);
  const left = new Bun.Glob(`net{${count - 1},${count}}/{10.,fd}*`);
  expect([...left.scanSync('/var/lib/cni/networks')]).toEqual([]);
});

test('GC removes the cables, elements and reservations of those that are gone, and of no one else', async () => {
  const config = network({ ipMasq: true });
  const [kept, gone, other] = [
    await attach(config),
    await attach(config),
    await attach(network({ ipMasq: true })),
  ];
  await gc({
    plugin: 'ptp',
    config: { ...config, 'cni.dev/valid-attachments': [{ containerID: kept.container.id, ifname: 'eth0' }] },
  });
  const names = (await ip(undefined, 'link', 'show', 'type', 'veth')).map(({ ifname }) => ifname);
  expect(names.sort()).toEqual([kept.hostName, other.hostName].sort());
  expect(await output(['nft', 'list', 'ruleset'])).not.toContain(gone.container.id);
  expect(await ping(undefined, gone.addresses[0] ?? '', 1)).toBe(false);
  for (const { call } of [kept, other]) await check(call);
});

describe('refused', () => {
  const refusal = async (keys: object, container = createContainer()) => {
    const error = await failure({
      plugin: 'ptp',
      command: 'ADD',
      config: network(keys),
      container,
      ifname: 'eth0',
    });
    return `${error.code}: ${error.msg}`;
  };

  test.each<[object, string]>([
    [{ ipam: undefined }, '7: `ipam.type` of plugin `ptp` is missing'],
    [
      { ipam: { type: 'static' } },
      '7: the IPAM plugin "static" gave no address, and plugin `ptp` needs one or more',
    ],
    [
      { ipam: { type: 'static', addresses: [{ address: '10.79.0.5/24' }] } },
      '7: the IPAM plugin gave no gateway for 10.79.0.5/24',
    ],
    [{ mtu: 70000 }, '7: `mtu` of plugin `ptp` must be 0–65535, got 70000'],
    [{ ipMasqBackend: 'ebtables' }, '7: `ipMasqBackend` of plugin `ptp` must be "iptables" or "nftables"'],
  ])('%j', async (keys, message) => {
    expect(await refusal(keys)).toContain(message);
    expect(await ip(undefined, 'link', 'show', 'type', 'veth')).toEqual([]);
  });

  test('a name that is taken', async () => {
    const one = await attach(network());
    expect(await refusal({}, one.container)).toContain('4: interface eth0 exists already');
    await check(one.call);
  });
});
