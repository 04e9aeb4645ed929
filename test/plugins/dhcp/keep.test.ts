/** dhcp with real servers: how the daemon keeps a lease, and how one ends that nobody gave back. */
// packages: dnsmasq-base kea-dhcp4-server iproute2 iputils-ping
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { ip } from '../../support/container.ts';
import { check, del, failure } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';
import { attach, discover, isDown, leaseFiles, request } from './network.ts';
import { dnsmasqTimes, startDaemon, startDnsmasq, startKea, stopAll, until } from './servers.ts';
import { watchClients } from './watch.ts';

beforeEach(() => makeSegment());
afterEach(async () => {
  await stopAll();
  await removeSegment();
});

test(
  'renewed at T1, by unicast from its address',
  async () => {
    const server = await startDnsmasq(dnsmasqTimes(3, 60));
    const daemon = await startDaemon();
    const { address } = await attach();
    using clients = await watchClients();
    await until('a renewal', () => daemon.count(/lease renewed/) >= 1);
    const [renewal] = clients.of(request);
    expect(renewal).toMatchObject({
      from: address,
      to: neighbour.ip4,
      clientAddress: address,
      broadcast: false,
    });
    expect(renewal?.toMac).not.toBe('ff:ff:ff:ff:ff:ff');
    // RFC 2131 table 5: neither the server nor the address in RENEWING.
    expect([50, 54].map((code) => renewal?.options.has(code))).toEqual([false, false]);
    expect(server.count(new RegExp(`DHCPACK\\(eth0\\) ${address} `))).toBeGreaterThanOrEqual(2);
    expect(clients.of(discover)).toEqual([]);
  },
  limit(30),
);

test(
  'over an interface that has lost the address: by broadcast',
  async () => {
    await startKea({ times: [1, 20, 40] });
    const daemon = await startDaemon();
    const { container, address } = await attach();
    await ip(container.netns, 'address', 'flush', 'dev', 'eth0');
    using clients = await watchClients();
    await until('a renewal', () => daemon.count(/lease renewed/) >= 1);
    expect(clients.of(request)[0]).toMatchObject({
      from: '0.0.0.0',
      to: '255.255.255.255',
      clientAddress: address,
    });
  },
  limit(30),
);

test(
  'Kea: rebound at T2 by another server, when the first is gone',
  async () => {
    const first = await startKea({ times: [1, 3, 20] });
    const daemon = await startDaemon();
    const { container, call, address } = await attach();
    await first.stop();
    // Another host's address, that only the client's broadcast finds.
    await ip(neighbour.netns, 'address', 'del', '10.50.0.1/24', 'dev', 'eth0');
    await ip(neighbour.netns, 'address', 'add', '10.50.0.2/24', 'dev', 'eth0');
    const second = await startDnsmasq(['--dhcp-authoritative']);
    using clients = await watchClients();
    await until('the lease is the second server’s', () => daemon.log().includes('of server 10.50.0.2'));
    expect(second.log()).toContain(`DHCPACK(eth0) ${address}`);
    const rebinding = clients.of(request).filter(({ to }) => to === '255.255.255.255');
    expect(rebinding[0]).toMatchObject({ clientAddress: address });
    expect(rebinding[0]?.options.has(54)).toBe(false);
    await check(call);
    expect(await ping(container.netns, '10.50.0.2')).toBe(true);
  },
  limit(40),
);

test(
  'a server that goes away and comes back',
  async () => {
    const first = await startKea({ times: [1, 2, 30] });
    const daemon = await startDaemon();
    const { call } = await attach();
    await first.stop();
    await until('it is missed', () => daemon.log().includes('the server does not answer, asking any'));
    const renewals = daemon.count(/lease renewed/);
    await startKea({ times: [1, 2, 30] });
    await until('renewed again', () => daemon.count(/lease renewed/) > renewals);
    await check(call);
  },
  limit(40),
);

test(
  'refused (NAK): asked for again from DISCOVER, and given where the address is free',
  async () => {
    const first = await startDnsmasq(dnsmasqTimes(3, 60));
    const daemon = await startDaemon();
    const { call, address } = await attach();
    await first.stop();
    const range = '--dhcp-range=10.50.0.200,10.50.0.210,255.255.255.0,2m';
    const strict = await startDnsmasq([range, '--dhcp-authoritative', ...dnsmasqTimes(3, 60)]);
    using clients = await watchClients();
    await until('the NAK', () => daemon.log().includes('refused the request'));
    expect(strict.log()).toContain(`DHCPNAK(eth0) ${address}`);
    await until('a DISCOVER for the same address', () => clients.of(discover).length > 0);
    expect([...(clients.of(discover)[0]?.options.get(50) ?? [])].join('.')).toBe(address);
    await strict.stop();
    await startDnsmasq(['--dhcp-authoritative']);
    await until('the address again', () => daemon.log().includes(`lease renewed: ${address}`), 30);
    await check(call);
  },
  limit(60),
);

test(
  'expired: the interface is set down, and there is no lease any more',
  async () => {
    const server = await startKea({ times: [1, 2, 4] });
    const daemon = await startDaemon();
    const { container, call } = await attach();
    await server.stop();
    await until('the end', () => daemon.log().includes('setting interface eth0 down'));
    await until('it is down', () => isDown(container));
    await until('no lease', () => leaseFiles().length === 0);
    const { code, msg } = await failure({ ...call, command: 'CHECK' });
    expect({ code, msg }).toEqual({ code: 102, msg: expect.stringContaining('no lease is held') });
    await del(call);
  },
  limit(40),
);

test(
  'quietly ended when somebody has set the interface down: it stays so',
  async () => {
    await startKea({ times: [1, 2, 4] });
    await startDaemon();
    const { container } = await attach();
    await ip(container.netns, 'link', 'set', 'eth0', 'down');
    await until('no lease', () => leaseFiles().length === 0);
    const [link] = await ip(container.netns, 'link', 'show', 'eth0');
    expect(link?.flags).not.toContain('UP');
  },
  limit(30),
);

test.each([
  ['its interface is deleted', 'ip link delete eth0'],
  ['another interface has its name', 'ip link delete eth0; ip link add eth0 type veth'],
])(
  'quietly given up when %s',
  async (_what, command) => {
    await startKea({ times: [1, 20, 40] });
    const daemon = await startDaemon();
    const { container } = await attach();
    await Bun.$`nsenter --net=${container.netns} -- sh -ec ${command}`.quiet();
    await until('no lease', () => leaseFiles().length === 0);
    expect(daemon.log()).toContain('is gone, and the lease with it');
  },
  limit(30),
);

test(
  'quietly given up when its namespace is gone, which the daemon does not hold',
  async () => {
    await startKea({ times: [1, 20, 40] });
    await startDaemon();
    const { container } = await attach();
    container.remove();
    await until('no lease', () => leaseFiles().length === 0);
  },
  limit(30),
);
