/** dhcp with real servers: what a lease is from ADD to DEL, and what clients and servers say to each other. */
// packages: dnsmasq-base iproute2 iputils-ping
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { createContainer, ip } from '../../support/container.ts';
import { add, check, del, failure, gc, runPlugin, status } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';
import { attach, configOf, discover, leaseFiles, release, request, text } from './network.ts';
import { dnsmasqTimes, socketPath, startDaemon, startDnsmasq, stopAll, until } from './servers.ts';
import { watchClients } from './watch.ts';

beforeEach(() => makeSegment());
afterEach(async () => {
  await stopAll();
  await removeSegment();
});

test(
  'dnsmasq: ADD, traffic, CHECK, GC, DEL, and what each side said',
  async () => {
    using clients = await watchClients();
    const server = await startDnsmasq();
    await startDaemon();
    await status({ plugin: 'macvlan', config: configOf() });
    const { container, result, call, address } = await attach();
    expect(address).toMatch(/^10\.50\.0\.\d+$/);
    const { ips, routes, dns } = result;
    expect({ ips, routes, dns }).toEqual({
      ips: [{ address: `${address}/24`, gateway: neighbour.ip4, interface: 0 }],
      routes: [{ dst: '0.0.0.0/0', gw: neighbour.ip4 }],
      dns: undefined,
    });
    expect(await ping(container.netns, neighbour.ip4)).toBe(true);
    expect(leaseFiles().length).toBe(1);
    expect(statSync(`${socketPath}.leases/${leaseFiles()[0]}`).mode & 0o777).toBe(0o600);
    await check(call);

    const [first] = clients.of(discover);
    expect(first).toMatchObject({
      toMac: 'ff:ff:ff:ff:ff:ff',
      from: '0.0.0.0',
      to: '255.255.255.255',
      broadcast: false,
    });
    expect(text(first?.options.get(61))).toBe(`\0${container.id}/net/eth0`);
    expect([...(first?.options.get(55) ?? [])]).toEqual([3, 1]);
    expect([...(first?.options.get(57) ?? [])]).toEqual([1500 >> 8, 1500 & 255]);

    const valid = [{ containerID: container.id, ifname: 'eth0' }];
    await gc({ plugin: 'macvlan', config: { ...configOf(), 'cni.dev/valid-attachments': valid } });
    await check(call);
    await del(call);
    await until('dnsmasq saw the release', () => server.count(/DHCPRELEASE\(eth0\)/) === 1);
    expect(clients.of(release)).toMatchObject([{ from: address, to: neighbour.ip4, clientAddress: address }]);
    expect(clients.of(release)[0]?.toMac).not.toBe('ff:ff:ff:ff:ff:ff');
    expect(text(clients.of(release)[0]?.options.get(61))).toBe(`\0${container.id}/net/eth0`);
    expect(leaseFiles()).toEqual([]);
    await del(call);
  },
  limit(30),
);

test(
  'GC gives back what belongs to nobody; the lease of another network stays',
  async () => {
    const server = await startDnsmasq();
    await startDaemon();
    const [one, other] = [await attach(), await attach({}, { more: { name: 'other' } })];
    await gc({ plugin: 'macvlan', config: { ...configOf(), 'cni.dev/valid-attachments': [] } });
    await until('dnsmasq saw the release', () => server.count(/DHCPRELEASE/) === 1);
    expect(server.log()).toContain(`DHCPRELEASE(eth0) ${one.address}`);
    expect(leaseFiles().length).toBe(1);
    await check(other.call);
    const { code, msg } = await failure({ ...one.call, command: 'CHECK' });
    expect({ code, msg }).toEqual({ code: 102, msg: expect.stringContaining('no lease is held for') });
  },
  limit(30),
);

test(
  'requested and provided options, as the server saw them and as the result has them',
  async () => {
    const server = await startDnsmasq([
      '--dhcp-option=6,192.0.2.53,192.0.2.54',
      '--dhcp-option=15,example.org',
      '--dhcp-option=119,a.example.org,b.example.org',
      '--dhcp-option=26,1400',
      '--dhcp-option=121,192.0.2.0/24,10.50.0.7,198.51.100.0/24,0.0.0.0,0.0.0.0/0,10.50.0.1',
      '--dhcp-option=33,203.0.113.0,10.50.0.8',
    ]);
    await startDaemon();
    using clients = await watchClients();
    const provide = [
      { option: 'host-name', fromArg: 'K8S_POD_NAME' },
      { option: '60', value: 'fairlead' },
      { option: 'user-class', value: 'pods' },
      { option: '12', fromArg: 'ABSENT' },
    ];
    const requested = ['6', '15', '119', '26', '33', '121'].map((option) => ({ option }));
    const args = 'IgnoreUnknown=1;K8S_POD_NAME=blue-7';
    const { result, call } = await attach({ provide, request: requested, priority: 77 }, { args });
    expect(result.routes).toEqual([
      { dst: '192.0.2.0/24', gw: '10.50.0.7', mtu: 1400, priority: 77 },
      { dst: '198.51.100.0/24', gw: '0.0.0.0', mtu: 1400, priority: 77, scope: 253 },
      { dst: '0.0.0.0/0', gw: '10.50.0.1', mtu: 1400, priority: 77 },
    ] as never);
    await check(call);
    await until('dnsmasq logged', () => server.log().includes('DHCPACK'));
    expect(server.log()).toContain('client provides name: blue-7');
    expect(server.log()).toContain('vendor class: fairlead');
    for (const message of [...clients.of(discover), ...clients.of(request)]) {
      expect([12, 60, 77].map((code) => text(message.options.get(code)))).toEqual([
        'blue-7',
        'fairlead',
        'pods',
      ]);
      expect([...(message.options.get(55) ?? [])]).toEqual([6, 15, 119, 26, 33, 121, 3, 1]);
    }

    // Macvlan's result has the configuration's `dns`, as the reference's; bridge's has IPAM's.
    const ask = { ipam: { type: 'dhcp', request: [...requested, { skipDefault: true }] } };
    const { container } = call;
    await del(call);
    await Bun.$`ip link add link eth0 name eth1 netns ${container.netns.split('/').at(-1) ?? ''} type macvlan mode bridge`.quiet();
    const alone = { plugin: 'dhcp', container, ifname: 'eth1', config: { ...configOf(), ...ask } };
    expect((await add(alone)).dns).toEqual({
      nameservers: ['192.0.2.53', '192.0.2.54'],
      domain: 'example.org',
      search: ['a.example.org', 'b.example.org'],
    });
    expect([...(clients.of(discover).at(-1)?.options.get(55) ?? [])]).toEqual([6, 15, 119, 26, 33, 121]);
    await del(alone);
  },
  limit(30),
);

test(
  'static routes (33) with the class of their destination, before the default route',
  async () => {
    await startDnsmasq(['--dhcp-option=33,203.0.113.0,10.50.0.8,172.20.0.0,10.50.0.9']);
    await startDaemon();
    const { result } = await attach({ request: [{ option: '33' }] });
    expect(result.routes).toEqual([
      { dst: '203.0.113.0/24', gw: '10.50.0.8' },
      { dst: '172.20.0.0/16', gw: '10.50.0.9' },
      { dst: '0.0.0.0/0', gw: '10.50.0.1' },
    ]);
  },
  limit(30),
);

test(
  '-broadcast asks for broadcast answers; `provide` of the client identifier replaces ours',
  async () => {
    await startDnsmasq();
    await startDaemon(['-broadcast']);
    using clients = await watchClients();
    const { call } = await attach({ provide: [{ option: 'dhcp-client-identifier', value: 'mine' }] });
    await del(call);
    await until('the release', () => clients.of(release).length > 0);
    expect(clients.of(discover)[0]?.broadcast).toBe(true);
    expect(clients.of(request)[0]?.broadcast).toBe(true);
    for (const message of clients.seen()) expect(text(message.options.get(61))).toBe('mine');
  },
  limit(30),
);

describe('bridge', () => {
  test(
    'asks over its port, and gives back before that goes',
    async () => {
      const server = await startDnsmasq();
      await startDaemon();
      await Bun.$`ip link add br0 type bridge; ip link set br0 up; ip link set eth0 master br0`.quiet();
      const more = { type: 'bridge', bridge: 'br0' };
      const { container, result, call } = await attach({ request: [{ option: '6' }] }, { more });
      expect(result.ips).toMatchObject([{ gateway: neighbour.ip4, interface: 2 }]);
      expect(await ping(container.netns, neighbour.ip4)).toBe(true);
      await check(call);
      await del(call);
      await until('dnsmasq saw the release', () => server.count(/DHCPRELEASE/) === 1);
      expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    },
    limit(30),
  );
});

test(
  'ptp makes its interface after it has asked: refused, as it fails with the reference',
  async () => {
    await startDaemon();
    const container = createContainer();
    const { code, msg } = await failure({
      plugin: 'ptp',
      command: 'ADD',
      ifname: 'eth0',
      container,
      config: configOf({}, { type: 'ptp' }),
    });
    expect({ code, msg }).toEqual({ code: 7, msg: expect.stringContaining('there is no interface eth0 in') });
  },
  limit(30),
);

test(
  'twenty containers on one segment at once: an address each, and all given back',
  async () => {
    const server = await startDnsmasq();
    await startDaemon();
    const all = await Promise.all(Array.from({ length: 20 }, () => attach()));
    expect(new Set(all.map(({ address }) => address)).size).toBe(20);
    await Promise.all(all.map(({ call }) => del(call)));
    await until('dnsmasq saw the releases', () => server.count(/DHCPRELEASE/) === 20);
    expect(leaseFiles()).toEqual([]);
  },
  limit(60),
);

test(
  'a container made anew under the same names gets a lease of its own',
  async () => {
    await startDnsmasq(dnsmasqTimes(60, 90));
    const daemon = await startDaemon();
    const config = configOf();
    const call = { plugin: 'macvlan', config, ifname: 'eth0' };
    const before = createContainer('again');
    await add({ ...call, container: before });
    before.remove();
    const after = createContainer('again');
    const result = await add({ ...call, container: after });
    expect(daemon.log()).toContain('made anew');
    await check({ ...call, config: { ...config, prevResult: result }, container: after });
    expect(await ping(after.netns, neighbour.ip4)).toBe(true);
  },
  limit(30),
);

test(
  'ADD, DEL and ADD of one attachment, over and over at once: what is left is one lease or none',
  async () => {
    await startDnsmasq();
    await startDaemon();
    const container = createContainer();
    const name = container.netns.replace('/run/netns/', '');
    await Bun.$`ip link add link eth0 name eth0 netns ${name} type macvlan mode bridge`.quiet();
    const call = { plugin: 'dhcp', container, ifname: 'eth0', config: configOf() };
    for (let round = 0; round < 8; round++) {
      const commands = ['ADD', 'DEL', 'ADD', 'DEL', 'ADD'];
      const ended = await Promise.all(commands.map((command) => runPlugin({ ...call, command })));
      for (const { exitCode, stdout } of ended)
        if (exitCode !== 0)
          expect(stdout).toContain('the attachment was deleted while its lease was acquired');
      expect(leaseFiles().length).toBeLessThanOrEqual(1);
      const prevResult = await add(call);
      await check({ ...call, config: { ...call.config, prevResult } });
      await del(call);
      expect(leaseFiles()).toEqual([]);
    }
  },
  limit(60),
);
