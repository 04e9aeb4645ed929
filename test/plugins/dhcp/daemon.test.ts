/** The daemon as a process: ended, killed, begun again, without a server, without a plugin that waits; and its flags. */
// packages: dnsmasq-base kea-dhcp4-server iproute2 strace
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { root } from '../../../scripts/process.ts';
import { load } from '../../../src/kernel/sys/ffi.ts';
import { bindSocket } from '../../../src/kernel/sys/sockets.ts';
import { callObserved, serve, stopServers } from '../../serve/server.ts';
import { createContainer, ip } from '../../support/container.ts';
import { add, binDirectory, check, del, failure, gc, runPlugin, status } from '../../support/plugin.ts';
import { runProgram } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, removeSegment } from '../../support/segment.ts';
import { attach, configOf, discover, isDown, leaseFiles } from './network.ts';
import { socketPath, startDaemon, startDnsmasq, startKea, stopAll, until } from './servers.ts';
import { watchClients } from './watch.ts';

beforeEach(() => makeSegment());
afterEach(async () => {
  await stopAll();
  await removeSegment();
});

const leases = `${socketPath}.leases`;

describe.each(['SIGTERM', 'SIGKILL'] as const)('ended by %s while it renews', (signal) => {
  test(
    'the next one goes on: CHECK, renewals, DEL',
    async () => {
      const server = await startKea({ times: [1, 20, 40] });
      const first = await startDaemon(['-pidfile', '/run/dhcp.pid']);
      expect(readFileSync('/run/dhcp.pid', 'utf8')).toBe(String(first.pid));
      const [one, other] = [await attach(), await attach()];
      await until('a renewal', () => first.count(/lease renewed/) >= 1);
      expect(await first.stop(signal)).toBe(signal === 'SIGTERM' ? 0 : 137);
      expect([existsSync(socketPath), existsSync('/run/dhcp.pid')]).toEqual(
        signal === 'SIGTERM' ? [false, false] : [true, true],
      );
      expect(server.log()).not.toContain('DHCP4_RELEASE');
      expect(leaseFiles().length).toBe(2);

      const next = await startDaemon();
      expect(next.count(/going on with lease/)).toBe(2);
      await check(one.call);
      await until('both are renewed', () => next.count(/lease renewed/) >= 2);
      await del(one.call);
      await del(other.call);
      expect(next.count(/releasing lease/)).toBe(2);
      expect(leaseFiles()).toEqual([]);
    },
    limit(30),
  );
});

test(
  'between two daemons: CHECK and STATUS say what to start; DEL and GC give back by themselves',
  async () => {
    const server = await startDnsmasq();
    const daemon = await startDaemon();
    const [one, other, third] = [await attach(), await attach(), await attach()];
    await daemon.stop('SIGKILL');
    for (const command of ['CHECK', 'STATUS']) {
      const { code, msg, details } = await failure({ ...one.call, command });
      expect([code, msg, details]).toEqual([
        50,
        expect.stringContaining(`the DHCP daemon cannot be reached on ${socketPath}`),
        expect.stringContaining('`dhcp daemon`'),
      ]);
    }
    await del(one.call);
    await until('dnsmasq saw the release', () => server.count(/DHCPRELEASE/) === 1);
    const valid = [{ containerID: third.container.id, ifname: 'eth0' }];
    await gc({ ...other.call, config: { ...configOf(), 'cni.dev/valid-attachments': valid } });
    await until('dnsmasq saw another', () => server.count(/DHCPRELEASE/) === 2);
    const next = await startDaemon();
    expect(next.count(/going on with lease/)).toBe(1);
    await check(third.call);
  },
  limit(30),
);

test(
  'a daemon begins with what is good: not with files of another boot, of a container that is gone, or of nobody',
  async () => {
    await startDnsmasq();
    const daemon = await startDaemon();
    const before = createContainer('reused');
    await add({ plugin: 'macvlan', config: configOf(), container: before });
    const fileOfGone = leaseFiles()[0];
    const kept = await attach();
    await daemon.stop();
    before.remove();
    // Its path is another container's now, with an interface of the same name.
    await add({
      plugin: 'macvlan',
      container: createContainer('reused'),
      config: { ...configOf(), ipam: undefined },
    });
    const text = readFileSync(`${leases}/${fileOfGone}`, 'utf8');
    writeFileSync(`${leases}/0.json`, text.replace(/"boot": "[^"]*"/, '"boot": "0"'));
    writeFileSync(`${leases}/1.json`, '{"attachment": {}, "boot": "" ');
    writeFileSync(`${leases}/2.json`, text.replace(/"times"/, '"tomes"'));
    writeFileSync(`${leases}/3.json.new`, text);
    const next = await startDaemon();
    expect(next.count(/going on with lease/)).toBe(1);
    expect(leaseFiles().length).toBe(1);
    await check(kept.call);
  },
  limit(30),
);

test(
  'expired while no daemon ran: asked for once more, and the interface set down where nobody answers',
  async () => {
    const server = await startKea({ times: [1, 2, 3] });
    const daemon = await startDaemon();
    const { container, call } = await attach();
    await daemon.stop('SIGKILL');
    await Bun.sleep(3000);
    const next = await startDaemon();
    await until('it is renewed', () => next.log().includes('lease renewed'));
    await check(call);
    await next.stop('SIGKILL');
    await server.stop();
    await Bun.sleep(3000);
    const last = await startDaemon();
    await until('it is given up', () => last.log().includes('setting interface eth0 down'));
    await until('it is down', () => isDown(container));
  },
  limit(40),
);

test(
  'under `fairlead serve`: an ADD that waits for a server lets those of others go on',
  async () => {
    await startDaemon(['-timeout', '1s', '-resendtimeout', '4s']);
    await serve();
    try {
      const call = { plugin: 'macvlan', ifname: 'eth0', container: createContainer(), config: configOf() };
      using clients = await watchClients();
      let ended = false;
      const waiting = callObserved({ ...call, command: 'ADD' }).finally(() => {
        ended = true;
      });
      await until('a DISCOVER', () => clients.of(discover).length > 0);
      await add({
        plugin: 'macvlan',
        container: createContainer(),
        config: { ...configOf(), ipam: undefined },
      });
      expect(ended).toBe(false);
      expect(await waiting).toMatchObject({ exitCode: 1, served: true });
    } finally {
      await stopServers();
    }
  },
  limit(30),
);

describe('nobody answers', () => {
  const flags = ['-timeout', '300ms', '--resendtimeout=1s'];

  test(
    'ADD fails with one error, nothing is left, and DEL is fine',
    async () => {
      await startDaemon(flags);
      const container = createContainer();
      const call = { plugin: 'macvlan', ifname: 'eth0', container, config: configOf() };
      const error = await failure({ ...call, command: 'ADD' });
      expect([error.code, error.msg]).toEqual([
        11,
        'plugin `dhcp`: the DHCP daemon says: no DHCP lease on eth0 in 1 s: no server offered an address',
      ]);
      expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
      expect(leaseFiles()).toEqual([]);
      await del(call);
    },
    limit(20),
  );

  test(
    'a server that comes late is found',
    async () => {
      await startDaemon();
      using clients = await watchClients();
      const attached = attach();
      await until('a DISCOVER', () => clients.of(discover).length > 0);
      await startDnsmasq();
      expect((await attached).address).toMatch(/^10\.50\.0\./);
    },
    limit(30),
  );

  test(
    'a plugin that is killed while it waits, and a DEL meanwhile: the daemon gives up',
    async () => {
      const daemon = await startDaemon();
      using clients = await watchClients();
      const container = createContainer();
      const call = { plugin: 'macvlan', ifname: 'eth0', container, config: configOf() };
      const pending = runPlugin({ ...call, command: 'ADD', under: ['timeout', '-s', 'KILL', '1'] });
      expect((await pending).exitCode).toBe(137);
      const count = clients.of(discover).length;
      expect(count).toBeGreaterThan(0);
      await Bun.sleep(2500);
      expect(clients.of(discover).length).toBe(count);
      await del(call);

      const waiting = runPlugin({ ...call, command: 'ADD' });
      await until('a DISCOVER', () => clients.of(discover).length > count);
      await del({ ...call, plugin: 'dhcp' });
      const { exitCode, stdout } = await waiting;
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining('the attachment was deleted while')]);
      expect(daemon.count(/lease acquired/)).toBe(0);
    },
    limit(30),
  );
});

test(
  'a daemon that is killed while an ADD waits: try again later, and nothing is left',
  async () => {
    const daemon = await startDaemon();
    using clients = await watchClients();
    const container = createContainer();
    const call = { plugin: 'macvlan', ifname: 'eth0', container, config: configOf() };
    const waiting = failure({ ...call, command: 'ADD' });
    await until('a DISCOVER', () => clients.of(discover).length > 0);
    await daemon.stop('SIGKILL');
    const { code, msg } = await waiting;
    expect([code, msg]).toEqual([
      11,
      expect.stringContaining('gave no answer: the daemon ended the connection'),
    ]);
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    await del(call);
  },
  limit(20),
);

test(
  'a second daemon refuses; with a socket of its own it serves whoever names that',
  async () => {
    await startDnsmasq();
    const first = await startDaemon();
    const second = await runProgram([`${binDirectory}/dhcp`, 'daemon']);
    expect([second.exitCode, second.stderr]).toEqual([
      1,
      expect.stringContaining('another daemon has the leases in'),
    ]);
    const socket = '/run/own/dhcp.sock';
    const own = await startDaemon(['-socketpath', socket], { socket });
    const { call } = await attach({ daemonSocketPath: socket });
    await check(call);
    expect([first.count(/lease acquired/), own.count(/lease acquired/)]).toEqual([0, 1]);
    await del(call);
  },
  limit(30),
);

test(
  '-hostprefix goes before the socket and before the namespaces',
  async () => {
    await startDnsmasq();
    mkdirSync('/run/host/run', { recursive: true });
    symlinkSync('/run/netns', '/run/host/run/netns');
    const socket = `/run/host${socketPath}`;
    const daemon = await startDaemon(['-hostprefix=/run/host'], { socket });
    const { call } = await attach({ daemonSocketPath: socket });
    expect(daemon.count(/lease acquired/)).toBe(1);
    await del(call);
  },
  limit(30),
);

test(
  'a socket of systemd (LISTEN_FDS) is served, and stays when the daemon ends',
  async () => {
    await startDnsmasq();
    mkdirSync('/run/cni', { recursive: true });
    const fd = listeningSocket(socketPath);
    const shell = `export LISTEN_PID=$$ LISTEN_FDS=1; exec ${binDirectory}/dhcp daemon`;
    const daemon = Bun.spawn(['sh', '-c', shell], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    try {
      const { call } = await attach();
      await check(call);
      await del(call);
    } finally {
      daemon.kill('SIGTERM');
      closeSync(fd);
    }
    expect(await daemon.exited).toBe(0);
    expect(existsSync(socketPath)).toBe(true);
    const two = await runProgram(['sh', '-c', shell.replace('FDS=1', 'FDS=2')]);
    expect([two.exitCode, two.stderr]).toEqual([1, expect.stringContaining('handed over 2 sockets')]);
  },
  limit(30),
);

/** A stream socket that listens at a path, as systemd would open it. */
function listeningSocket(path: string): number {
  const c = load('libc.so.6', {
    socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
    listen: { args: ['i32', 'i32'], returns: 'i32' },
  });
  const fd = c.socket(1, 1, 0);
  const address = new Uint8Array(110);
  address[0] = 1;
  new TextEncoder().encodeInto(path, address.subarray(2));
  bindSocket(fd, address.subarray(0, 2 + path.length + 1), path);
  expect(c.listen(fd, 16)).toBe(0);
  return fd;
}

test('the units of the examples: systemd finds nothing wrong, the socket is the default one', async () => {
  const unit = (name: string) => readFileSync(`${root}/examples/cni-dhcp.${name}`, 'utf8');
  expect(unit('socket')).toContain(`\nListenStream=${socketPath}\n`);
  const [, path, command] = /^ExecStart=(\/opt\/cni\/bin)\/(.*)$/m.exec(unit('service')) ?? [];
  expect(command).toBe('dhcp daemon');
  if (Bun.which('systemd-analyze') === null) return;
  mkdirSync('/run/units');
  writeFileSync('/run/units/cni-dhcp.socket', unit('socket'));
  // Where it is installed is for the node to say.
  writeFileSync('/run/units/cni-dhcp.service', unit('service').replace(path ?? '', binDirectory));
  const verify = ['systemd-analyze', 'verify', '/run/units/cni-dhcp.socket', '/run/units/cni-dhcp.service'];
  const { exitCode, stdout, stderr } = await runProgram(verify);
  expect({
    exitCode,
    about: `${stdout}${stderr}`.split('\n').filter((line) => line.includes('cni-dhcp')),
  }).toEqual({
    exitCode: 0,
    about: [],
  });
});

test.each<[string, string[], number, string]>([
  ['help', ['-help'], 0, '-resendtimeout duration'],
  ['an unknown flag', ['-nope'], 2, 'flag provided but not defined: -nope'],
  ['a duration that is none', ['-timeout', 'soon'], 2, 'invalid value "soon" for flag -timeout'],
  ['a relative pidfile', ['-pidfile', 'x'], 1, 'must be absolute'],
])('flags: %s', async (_what, flags, code, message) => {
  const { exitCode, stderr } = await runProgram([`${binDirectory}/dhcp`, 'daemon', ...flags]);
  expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
});

test(
  'no descriptor is lost, whatever comes over the socket',
  async () => {
    await startDnsmasq();
    const daemon = await startDaemon();
    await status({ plugin: 'dhcp', config: configOf() });
    const container = createContainer();
    await Bun.$`ip link add link eth0 name eth0 netns ${container.netns.replace('/run/netns/', '')} type macvlan mode bridge`.quiet();
    const call = { plugin: 'dhcp', container, ifname: 'eth0', config: configOf() };
    const round = async () => {
      await add(call);
      await del(call);
      await failure({ ...call, ifname: 'eth9', command: 'ADD' });
      await failure({ ...call, netns: '/run/netns/none', command: 'ADD' });
      for (const bytes of hostile) await talk(bytes);
    };
    await round();
    const before = descriptors(daemon.pid).length;
    for (let index = 0; index < 15; index++) await round();
    await until('as few descriptors as before', () => descriptors(daemon.pid).length <= before);
    await check({ ...call, config: { ...call.config, prevResult: await add(call) } });
  },
  limit(60),
);

const greeting = 'CONNECT /_goRPC_ HTTP/1.0\n\n';
const hostile = [
  'GET / HTTP/1.1\r\n\r\n',
  'x'.repeat(10_000),
  greeting,
  `${greeting}\xff`,
  `${greeting}${greeting}`,
  '\0',
  '',
];

async function talk(text: string): Promise<void> {
  const connection = await Bun.connect({ unix: socketPath, socket: { data() {} } });
  connection.write(Buffer.from(text, 'latin1'));
  await Bun.sleep(5);
  connection.end();
}

/** What a process has open. */
function descriptors(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`);
}
