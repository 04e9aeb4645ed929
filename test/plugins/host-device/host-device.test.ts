/** host-device, with packets: the device in the container reaches the other host, and is the node's again after DEL. */
// packages: iproute2 iputils-ping
// seconds: 90
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { check, del, failure, gc, runPlugin, status } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, nextIpam, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';
import { addressedConfig, attach, configOf, ifname, lasting, letGo, names, refused, sh } from './device.ts';

beforeEach(() => makeSegment(), limit(10));
afterEach(removeSegment, limit(10));

const plugin = 'host-device';

describe('ADD and DEL', () => {
  test(
    'IPv4 and IPv6: both ways to the other host; after DEL the device is as it was, but down and without addresses',
    async () => {
      await sh('ip address add 10.50.0.99/24 dev eth0');
      const before = await lasting('eth0');
      const { container, result, call } = await attach(addressedConfig({ ipam: nextIpam([4, 6]) }));
      expect(await names()).toEqual(['lo']);
      const [link = {}] = await ip(container.netns, 'link', 'show', ifname);
      expect(link.ifalias).toBe('eth0');
      expect(result).toEqual({
        cniVersion: '1.1.0',
        interfaces: [{ name: ifname, mac: String(link.address), sandbox: container.netns }],
        ips: [
          { address: expect.stringMatching(/^10\.50\.0\.\d+\/24$/), interface: 0 },
          { address: expect.stringMatching(/^fd00:50::\d+\/64$/), interface: 0 },
        ],
      });
      for (const address of [neighbour.ip4, neighbour.ip6])
        expect(await ping(container.netns, address)).toBe(true);
      for (const { address } of result.ips ?? [])
        expect(await ping(neighbour.netns, address.replace(/\/.*/, ''))).toBe(true);
      await check(call);
      await del(call);
      expect(await names(container.netns)).toEqual(['lo']);
      expect(await lasting('eth0')).toEqual({ ...before, up: false });
      expect((await ip(undefined, 'address', 'show', 'eth0'))[0]?.addr_info).toEqual([]);
    },
    limit(20),
  );

  test('without IPAM: up, in the container, and no addresses', async () => {
    const { container, result } = await attach();
    const [link = {}] = await ip(container.netns, 'link', 'show', ifname);
    expect(link.flags).toContain('UP');
    expect(result).toEqual({
      cniVersion: '1.1.0',
      interfaces: [{ name: ifname, mac: String(link.address), sandbox: container.netns }],
    });
  });

  test('a device without a hardware address', async () => {
    await sh('ip tuntap add tun0 mode tun');
    const { result, container, call } = await attach(addressedConfig({ device: 'tun0' }));
    expect(result.interfaces).toEqual([{ name: ifname, sandbox: container.netns }]);
    await check(call);
    await del(call);
    expect(await names()).toEqual(['eth0', 'lo', 'tun0']);
    await sh('ip tuntap delete tun0 mode tun');
  });

  test("routes are IPAM's, dns is the configuration's", async () => {
    const dns = { nameservers: ['192.0.2.53'] };
    const ipam = {
      ...nextIpam(),
      routes: [{ dst: '0.0.0.0/0', gw: neighbour.ip4 }],
      dns: { domain: 'x.org' },
    };
    const { result, container } = await attach(configOf({ ipam, dns }));
    expect(result).toMatchObject({ routes: [{ dst: '0.0.0.0/0', gw: neighbour.ip4 }], dns });
    expect(await ip(container.netns, 'route', 'show', 'default')).toMatchObject([
      { gateway: neighbour.ip4, dev: ifname },
    ]);
  });

  test('each of the two names may be taken where the device only passes', async () => {
    const container = createContainer();
    await sh(`ip link add ${ifname} type veth peer name eth0 netns ${container.id}`);
    const { call } = await attach(configOf(), container);
    expect(await names(container.netns)).toEqual(['eth0', 'lo', ifname]);
    await del(call);
    expect(await names(container.netns)).toEqual(['eth0', 'lo']);
    expect(await lasting('eth0')).toMatchObject({ ifalias: undefined });
    expect(await names()).toEqual(['eth0', 'lo', ifname]);
  });

  test('the same name in the container as on the node', async () => {
    const container = createContainer();
    const call = { plugin, config: configOf(), container, ifname: 'eth0' };
    const { exitCode } = await runPlugin({ ...call, command: 'ADD' });
    expect([exitCode, await names(container.netns), await names()]).toEqual([0, ['eth0', 'lo'], ['lo']]);
    await del(call);
    expect([await names(container.netns), await names()]).toEqual([['lo'], ['eth0', 'lo']]);
  });

  test('DEL twice, without a result, without a namespace, without a device in the configuration', async () => {
    const { call, container } = await attach();
    const { device: _, ...nothing } = configOf();
    await del({ ...call, config: nothing });
    expect(await names()).toEqual(['eth0', 'lo']);
    await del(call);
    await del({ ...call, config: configOf() });
    container.remove();
    await del(call);
    await del({ plugin, ifname, config: configOf(), containerId: container.id });
    expect(await lasting('eth0')).toMatchObject({ ifalias: undefined });
  });
});

/** Ways to name `eth0`. */
const selectors: readonly (readonly [what: string, prepare: string, keys: object])[] = [
  ['hwaddr', 'ip link set eth0 address 02:aa:bb:cc:dd:ee', { hwaddr: '02:aa:bb:cc:dd:ee' }],
  ['hwaddr in another spelling', 'ip link set eth0 address 02:aa:bb:cc:dd:ee', { hwaddr: '02AA.BBCC.DDEE' }],
  // Links without hardware have no directory of their own with a `net` in it: here is the one of them all, eth0 the first.
  ['kernelpath', 'true', { kernelpath: '/sys/devices/virtual' }],
  ['an alternative name', 'ip link property add dev eth0 altname card0', { device: 'card0' }],
  [
    'a long alternative name',
    'ip link property add dev eth0 altname the-network-card-in-slot-4',
    { device: 'the-network-card-in-slot-4' },
  ],
];

describe('the device is named by', () => {
  test.each(selectors)('%s', async (_, prepare, keys) => {
    await sh(prepare);
    const config = configOf({ device: undefined, ...keys });
    const { call, container } = await attach(config);
    expect(await lasting(ifname, container.netns)).toMatchObject({ ifalias: 'eth0', up: true });
    expect(await names()).toEqual(['lo']);
    const error = await refused(config);
    expect(error.code).toBe('kernelpath' in keys ? 7 : 'hwaddr' in keys ? 11 : 7);
    // As after an ADD that was killed: without the result. Of a directory with others in it that says too little.
    await del('kernelpath' in keys ? call : { ...call, config });
    expect(await names()).toEqual(['eth0', 'lo']);
  });
});

describe('refused', () => {
  const wrong: readonly (readonly [keys: object, message: string])[] = [
    [
      { device: undefined },
      'plugin `host-device` has no device: one of `device`, `hwaddr`, `kernelpath` and',
    ],
    [{ device: '' }, 'plugin `host-device` has no device'],
    [
      { hwaddr: '02:00:00:00:00:01' },
      '`hwaddr` of plugin `host-device` cannot be set together with `device`',
    ],
    [{ pciBusID: '0000:00:1f.6' }, '`pciBusID` of plugin `host-device` cannot be set together with `device`'],
    [{ device: 'a/b' }, '`device` of plugin `host-device` must not have "/"'],
    [{ device: `${'x'.repeat(20)}/` }, '`device` of plugin `host-device` must not have "/"'],
    [{ device: 'x'.repeat(200) }, '`device` of plugin `host-device` must have at most 127 bytes, got 200'],
    [{ device: '..' }, '`device` of plugin `host-device` must not be ".."'],
    [
      { hwaddr: '02:00:00', device: '' },
      '`hwaddr` of plugin `host-device` must be a hardware address such as',
    ],
    [{ kernelpath: '/sys/class/net/eth0', device: '' }, 'must be a path below /sys/devices/ without ".."'],
    [{ kernelpath: '/sys/devices/../class', device: '' }, 'must be a path below /sys/devices/ without ".."'],
    [
      { pciBusID: '../../../net', device: '' },
      '`pciBusID` of plugin `host-device` must be a PCI address such',
    ],
    [
      { runtimeConfig: { deviceID: '../x' } },
      '`runtimeConfig.deviceID` of plugin `host-device` must be a PCI',
    ],
    [{ device: 'eth9' }, '`device` of plugin `host-device`: there is no interface eth9 on the node'],
    [{ device: 'x'.repeat(100) }, 'there is no interface xxxxxxxxx'],
    [
      { device: 'lo' },
      '`device` of plugin `host-device`: lo is the loopback of the node, which cannot leave it',
    ],
    [
      { device: '', hwaddr: '02:00:00:00:00:99' },
      '`hwaddr` of plugin `host-device`: there is no interface with hardware address 02:00:00:00:00:99 on the node',
    ],
    [
      { device: '', kernelpath: '/sys/devices/nothing' },
      '`kernelpath` of plugin `host-device`: there is no /sys/devices/nothing',
    ],
    [
      { device: '', kernelpath: '/sys/devices/system' },
      '`kernelpath` of plugin `host-device`: /sys/devices/system has no network interface',
    ],
    [
      { device: '', pciBusID: '0000:ff:1f.7' },
      '`pciBusID` of plugin `host-device`: there is no PCI device 0000:ff:1f.7',
    ],
    [
      { device: '', runtimeConfig: { deviceID: 'mlx5_core.sf.9' } },
      '`runtimeConfig.deviceID` of plugin `host-device`: there is neither a PCI nor an auxiliary device mlx5_core.sf.9',
    ],
  ];
  test.each(wrong)('%j', async (keys, message) => {
    const before = await lasting('eth0');
    const container = createContainer();
    const { code, msg } = await refused(configOf(keys), container);
    expect({ code, msg }).toEqual({ code: 7, msg: expect.stringContaining(message) });
    expect([await names(container.netns), await lasting('eth0')]).toEqual([['lo'], before]);
  });

  test('a port of a bridge, and the bridge itself', async () => {
    await sh('ip link add br0 type bridge; ip link set eth0 master br0');
    const port = await refused();
    expect(port).toMatchObject({ code: 7, details: 'take it out first: ip link set eth0 nomaster' });
    expect(port.msg).toContain('eth0 is a port of link br0, which would lose it');
    const bridge = await refused(configOf({ device: 'br0' }));
    expect(bridge.code).toBe(7);
    expect(bridge.msg).toContain('br0 cannot leave the node, as no link of kind bridge can');
    expect(await names()).toEqual(['br0', 'eth0', 'lo']);
  });

  test('one that is in another container: the error says in which, and as what', async () => {
    const { container } = await attach();
    const error = await refused();
    expect(error).toMatchObject({ code: 11, details: 'it comes back when that container is removed' });
    expect(error.msg).toContain(
      `eth0 is in ${container.netns} as ${ifname}; a device can be in one container`,
    );
  });

  test('an interface name that is taken', async () => {
    const { container } = await attach();
    const error = await refused(configOf({ device: 'lo' }), container);
    expect(error).toMatchObject({ code: 4, msg: `interface ${ifname} exists already in ${container.netns}` });
  });

  test('a name in the container that is an alternative one of the device: it is the node’s again', async () => {
    await sh(`ip link property add dev eth0 altname other; ip link set eth0 alias "rack 5"`);
    const before = await lasting('eth0');
    const container = createContainer();
    await sh('ip link add other type veth', container.netns);
    const there = await names(container.netns);
    const { code, msg } = await refused(configOf(), container);
    expect({ code, msg }).toEqual({
      code: 4,
      msg: expect.stringContaining('an alternative name of eth0, is taken'),
    });
    expect([await names(container.netns), await lasting('eth0')]).toEqual([there, before]);
  });

  test('one that cannot be set up: it is the node’s again, as it was', async () => {
    await sh(`ip link add one link eth0 address 02:00:00:00:00:01 type macvlan
      ip link add two link eth0 address 02:00:00:00:00:01 type macvlan
      ip link set one up; ip link set two alias "rack 5"`);
    const before = await lasting('two');
    const container = createContainer();
    const error = await refused(configOf({ device: 'two' }), container);
    expect(error).toMatchObject({ code: 11, details: expect.stringMatching(/EADDRINUSE|EBUSY/) });
    expect(error.msg).toContain('two is busy and cannot be set up in a container');
    expect([await names(container.netns), await lasting('two')]).toEqual([['lo'], before]);
  });

  test('an IPAM plugin that gives nothing: the device is the node’s again, up, with its alias', async () => {
    await sh('ip link set eth0 alias "rack 5"');
    const before = await lasting('eth0');
    const container = createContainer();
    const { code, msg } = await refused(configOf({ ipam: { type: 'static' } }), container);
    expect({ code, msg }).toEqual({ code: 7, msg: expect.stringContaining('"static" gave no address') });
    expect([await names(container.netns), await lasting('eth0')]).toEqual([['lo'], before]);
  });
});

test(
  'two containers claim the device at once: one has it, the other an error that says so',
  async () => {
    const containers = [createContainer(), createContainer()];
    for (let round = 0; round < 8; round++) {
      const calls = containers.map((container) => ({ plugin, config: configOf(), container, ifname }));
      const ended = await Promise.all(calls.map((call) => runPlugin({ ...call, command: 'ADD' })));
      const texts = ended.filter(({ exitCode }) => exitCode !== 0).map(({ json }) => json);
      expect(texts).toEqual([
        { cniVersion: '1.1.0', code: 11, msg: expect.any(String), details: expect.any(String) },
      ]);
      expect(JSON.stringify(texts)).toMatch(
        /eth0 is in \/run\/netns\/|eth0 was taken by another container just now/,
      );
      // The one that has nothing must not take it from the other.
      const loser = ended.findIndex(({ exitCode }) => exitCode !== 0);
      await del(calls[loser] ?? { plugin });
      expect(await names()).toEqual(['lo']);
      await del(calls[1 - loser] ?? { plugin });
      expect(await names()).toEqual(['eth0', 'lo']);
    }
  },
  limit(20),
);

describe('what is not this attachment’s', () => {
  test('DEL after an ADD that was refused leaves another network’s device under the same interface name', async () => {
    const { container, call } = await attach();
    await sh('ip link add card1 type veth peer name card2');
    for (const keys of [{ device: 'card1' }, { device: '', hwaddr: '02:00:00:00:00:77' }]) {
      const config = { ...configOf(keys), name: 'others' };
      await refused(config, container);
      await del({ plugin, config, container, ifname });
      expect(await names(container.netns)).toEqual(['lo', ifname]);
    }
    await check(call);
  });

  test('DEL leaves an interface without an alias that tells a name', async () => {
    const container = createContainer();
    for (const alias of ['', 'a rack', 'dev%d', 'a/b', '..']) {
      await sh(`ip link add ${ifname} type veth; ip link set ${ifname} alias "${alias}"`, container.netns);
      await del({ plugin, config: configOf(), container, ifname });
      await del({ plugin, config: configOf({ device: '', hwaddr: '02:00:00:00:00:77' }), container, ifname });
      expect(await names(container.netns)).toContain(ifname);
      await sh(`ip link delete ${ifname}`, container.netns);
    }
  });
});

describe('DEL, when the container', () => {
  test('has taken the alias away: by the result and the configuration', async () => {
    const { container, call } = await attach();
    await sh(`ip link set ${ifname} alias ""`, container.netns);
    await del(call);
    expect(await names()).toEqual(['eth0', 'lo']);
  });

  test('has given another hardware address and MTU: the node’s device has them', async () => {
    const { container, call } = await attach();
    await sh(`ip link set ${ifname} address 02:00:00:00:00:05 mtu 1300`, container.netns);
    await del(call);
    expect(await lasting('eth0')).toMatchObject({ address: '02:00:00:00:00:05', mtu: 1300 });
  });

  test('a network device of the node has the old name: another one, with the old one as alias, until it is free', async () => {
    const { container, call } = await attach();
    const [{ address: mac } = {}] = await ip(container.netns, 'link', 'show', ifname);
    await sh('ip link add eth0 type veth peer name other');
    await del(call);
    const back = (await ip(undefined, 'link')).find(({ address }) => address === mac);
    expect(back?.ifalias).toBe('eth0');
    expect(String(back?.ifname)).toMatch(/^dev\d+$/);
    await gc({ plugin, config: { ...configOf(), 'cni.dev/valid-attachments': [] } });
    expect(await names()).toEqual([String(back?.ifname), 'eth0', 'lo', 'other'].sort());
    await sh('ip link delete eth0');
    await gc({ plugin, config: { ...configOf(), 'cni.dev/valid-attachments': [] } });
    expect(await lasting('eth0')).toMatchObject({ address: mac, ifalias: undefined });
  });
});

describe('a device that came back by itself under the name that it had in the container gets its own', () => {
  const byAddress = (mac: unknown) => configOf({ device: undefined, hwaddr: mac });

  test.each(['DEL', 'GC', 'ADD'])('%s', async (verb) => {
    const { container, call, result } = await attach();
    await letGo(container);
    container.remove();
    expect(await lasting(ifname)).toMatchObject({ ifalias: 'eth0', up: false });
    if (verb === 'DEL') await del(call);
    if (verb === 'GC') await gc({ plugin, config: { ...configOf(), 'cni.dev/valid-attachments': [] } });
    if (verb === 'ADD') await del((await attach()).call);
    expect(await lasting('eth0')).toMatchObject({ address: result.interfaces?.[0]?.mac, ifalias: undefined });
  });

  test.each(['DEL', 'ADD'])('%s, with hwaddr', async (verb) => {
    const [{ address: mac } = {}] = await ip(undefined, 'link', 'show', 'eth0');
    const { container, call } = await attach(byAddress(mac));
    await letGo(container);
    container.remove();
    if (verb === 'DEL') await del(call);
    else await del((await attach(byAddress(mac))).call);
    expect(await lasting('eth0')).toMatchObject({ address: mac, ifalias: undefined });
  });

  test('but not while somebody has it set up: the error says what to do', async () => {
    const { container } = await attach();
    await letGo(container);
    await sh(`ip link set ${ifname} up`);
    await gc({ plugin, config: { ...configOf(), 'cni.dev/valid-attachments': [] } });
    expect(await lasting(ifname)).toMatchObject({ ifalias: 'eth0', up: true });
    const error = await refused();
    expect(error).toMatchObject({ code: 7, details: expect.stringContaining(`ip link set ${ifname} down`) });
    await sh(`ip link set ${ifname} down`);
    await del((await attach()).call);
    expect(await lasting('eth0')).toMatchObject({ ifalias: undefined });
  });

  test('but none that is used, or has its own name, whatever its alias', async () => {
    const [{ address: mac } = {}] = await ip(undefined, 'link', 'show', 'eth0');
    await sh(`ip link set eth0 down name ${ifname} up; ip link set ${ifname} alias storage`);
    const config = byAddress(mac);
    const call = { plugin, config, ifname, containerId: 'gone', netns: '/run/netns/gone' };
    await del(call);
    await gc({ plugin, config: { ...config, 'cni.dev/valid-attachments': [] } });
    expect(await lasting(ifname)).toMatchObject({ ifalias: 'storage', up: true });
    await sh(`ip link set ${ifname} down name card0`);
    await del(call);
    await gc({ plugin, config: { ...config, 'cni.dev/valid-attachments': [] } });
    expect(await lasting('card0')).toMatchObject({ ifalias: 'storage' });
  });
});

describe('CHECK names what is missing or changed', () => {
  const damages: readonly (readonly [command: string, message: RegExp])[] = [
    [`ip link set ${ifname} down`, /interface net1 is down/],
    [`ip link delete ${ifname}`, /interface net1 does not exist/],
    [`ip address flush dev ${ifname}`, /interface net1 has no address 10\.50\.0\.\d+\/24/],
    ['ip route delete default', /no route to 0\.0\.0\.0\/0 by 10\.50\.0\.1 on net1/],
    [
      `ip link set ${ifname} address 02:00:00:00:00:05`,
      /has hardware address 02:00:00:00:00:05, the result of ADD/,
    ],
    [`ip link set ${ifname} alias ""`, /interface net1 has no alias that tells its name on the node/],
    [`ip link set ${ifname} alias "rack 5"`, /interface net1 has no alias that tells its name on the node/],
  ];
  test.each(damages)('%s', async (command, message) => {
    const routes = [{ dst: '0.0.0.0/0', gw: neighbour.ip4 }];
    const { container, call } = await attach(configOf({ ipam: { ...nextIpam(), routes } }));
    await check(call);
    await sh(command, container.netns);
    const { code, msg, details = '' } = await failure({ ...call, command: 'CHECK' });
    expect({ code, text: `${msg}; ${details}` }).toEqual({ code: 102, text: expect.stringMatching(message) });
  });
});

test('STATUS: ready also while a container has the device; not without one that is named, or without IPAM', async () => {
  await attach();
  await status({ plugin, config: addressedConfig() });
  const nothing = configOf({ device: undefined });
  await status({ plugin, config: { ...nothing, capabilities: { deviceID: true } } });
  const unnamed = await failure({ plugin, command: 'STATUS', config: nothing });
  expect(unnamed).toMatchObject({ code: 50, msg: expect.stringContaining('has no device') });
  await failure({ plugin, command: 'STATUS', config: configOf({ ipam: { type: 'no-such-ipam' } }) });
});

test(
  'GC gives back the addresses of those that are gone',
  async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.50.0.0/24', rangeStart: '10.50.0.100' }]] };
    const { call } = await attach(configOf({ ipam }));
    const held = () => [...new Bun.Glob('10.*').scanSync('/var/lib/cni/networks/devices')];
    const valid = [{ containerID: call.container?.id, ifname }];
    await gc({ plugin, config: { ...call.config, 'cni.dev/valid-attachments': valid } });
    await check(call);
    await gc({ plugin, config: { ...call.config, 'cni.dev/valid-attachments': [] } });
    expect(held()).toEqual([]);
  },
  limit(10),
);
