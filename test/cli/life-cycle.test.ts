/** An attachment from the command line: made, looked at, used, removed. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createNetns } from '../../src/kernel/netns/netns.ts';
import { ip, removeContainers } from '../support/container.ts';
import { diff, snapshot } from '../support/node.ts';
import { binDirectory } from '../support/plugin.ts';
import { ask, serve, stopServers } from '../support/traffic.ts';
import { environment, executable, fairlead, fairleadJson, pods, writeNetworks } from './fairlead.ts';

/** What cnitool makes of /run/netns/blue: `printf %s /run/netns/blue | sha512sum | head -c 20`. */
const blueId = 'cnitool-df26705e2e4ffd095eb1';
const portMappings = JSON.stringify({ portMappings: [{ hostPort: 8080, containerPort: 80 }] });

beforeEach(() => {
  writeNetworks(pods);
});

afterEach(async () => {
  await stopServers();
  for (const name of readdirSync('/run/netns')) await fairlead(['del', 'pods', name, '--remove-netns']);
  removeContainers();
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'bridge')) {
    await ip(undefined, 'link', 'del', String(ifname));
  }
});

/** host-local's last address and its index, which say what was, and empty parts of it. */
const hostLocalNotes = /last_reserved_ip|networks\/\.fairlead\//;

/** Hardware addresses and the names made from them differ with the identity's hash only. */
const masked = (text: string) =>
  text
    .replaceAll(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MM:MM:MM:MM:MM:MM')
    .replaceAll(/\bveth[0-9a-f]{8}\b/g, 'vethXXXXXXXX');

test('add, check, list, del: what a person sees', async () => {
  const added = await fairlead(['add', 'pods', 'blue', '--create-netns'], { CAP_ARGS: portMappings });
  expect(added.stderr).toBe('');
  expect(masked(added.stdout)).toBe(
    `connected eth0 in /run/netns/blue to network pods (container ${blueId})

INTERFACE     IN               MAC                ADDRESS        GATEWAY
pods0         the node         MM:MM:MM:MM:MM:MM
vethXXXXXXXX  the node         MM:MM:MM:MM:MM:MM
eth0          /run/netns/blue  MM:MM:MM:MM:MM:MM  10.88.0.2/24   10.88.0.1
                                                  fd00:88::2/64  fd00:88::1
`,
  );
  expect(added.exitCode).toBe(0);

  await using server = await serve('/run/netns/blue', 'tcp', 80, 'blue');
  expect((await ask(undefined, 'tcp', '10.88.0.2', 80))?.server).toBe('blue');
  expect((await ask(undefined, 'tcp', '127.0.0.1', 8080))?.server).toBe('blue');
  await server.stop();

  expect(await fairlead(['check', 'pods', 'blue'], { CAP_ARGS: portMappings })).toEqual({
    exitCode: 0,
    stdout: 'ok eth0 in /run/netns/blue is as network pods made it\n',
    stderr: '',
  });
  expect(await fairlead(['list'])).toEqual({
    exitCode: 0,
    stdout: `NETWORK  VERSION  PLUGINS           ATTACHMENTS  FILE
pods     1.1.0    bridge → portmap  1            /etc/cni/net.d/10-pods.conflist

NETWORK  CONTAINER ID                  INTERFACE  ADDRESS        NAMESPACE
pods     ${blueId}  eth0       10.88.0.2/24   /run/netns/blue
                                                  fd00:88::2/64
`,
    stderr: '',
  });
  expect(await fairlead(['status'])).toEqual({
    exitCode: 0,
    stdout: 'NETWORK  STATUS  REASON\npods     ready\n',
    stderr: '',
  });
  expect(await fairlead(['del', 'pods', 'blue', '--remove-netns'], { CAP_ARGS: portMappings })).toEqual({
    exitCode: 0,
    stdout: 'disconnected eth0 in /run/netns/blue from network pods; the namespace is removed\n',
    stderr: '',
  });
  expect(existsSync('/run/netns/blue')).toBe(false);
  expect((await fairlead(['list'])).stdout).toEndWith('\nno attachments\n');
});

test('add, check, list, del: what a program reads', async () => {
  const result = await fairleadJson<Record<string, unknown>>(['add', 'pods', 'blue', '--create-netns']);
  expect(result).toMatchObject({
    cniVersion: '1.1.0',
    interfaces: [{ name: 'pods0' }, {}, { name: 'eth0', sandbox: '/run/netns/blue' }],
    ips: [
      { address: '10.88.0.2/24', gateway: '10.88.0.1', interface: 2 },
      { address: 'fd00:88::2/64', gateway: 'fd00:88::1', interface: 2 },
    ],
  });
  const attachment = { network: 'pods', containerId: blueId, ifname: 'eth0', netns: '/run/netns/blue' };
  expect(await fairleadJson<unknown>(['check', 'pods', 'blue'])).toEqual({ ...attachment, checked: true });
  expect(await fairleadJson<unknown>(['list'])).toEqual({
    networks: [
      {
        name: 'pods',
        cniVersion: '1.1.0',
        plugins: ['bridge', 'portmap'],
        attachments: 1,
        file: '/etc/cni/net.d/10-pods.conflist',
      },
    ],
    attachments: [{ ...attachment, netnsExists: true, addresses: ['10.88.0.2/24', 'fd00:88::2/64'] }],
    problems: [],
  });
  expect(await fairleadJson<unknown>(['status', 'pods'])).toEqual({
    networks: [{ network: 'pods', ready: true, message: '' }],
    problems: [],
  });
  expect(await fairleadJson<unknown>(['del', 'pods', 'blue'])).toEqual({
    ...attachment,
    wasConnected: true,
    netnsRemoved: false,
  });
  expect(existsSync('/run/netns/blue')).toBe(true);
});

test('del leaves the node as it was, and a second del is no error', async () => {
  // The bridge and the plugins' tables stay, as with the reference; they are there before.
  await fairleadJson(['add', 'pods', 'first', '--create-netns'], { CAP_ARGS: portMappings });
  await fairleadJson(['del', 'pods', 'first', '--remove-netns']);
  const before = await snapshot();
  await fairleadJson(['add', 'pods', 'blue', '--create-netns'], { CAP_ARGS: portMappings });
  expect(diff(before, await snapshot())).not.toEqual([]);
  await fairleadJson(['del', 'pods', 'blue', '--remove-netns']);
  expect(diff(before, await snapshot(), hostLocalNotes)).toEqual([]);
  expect((await fairlead(['del', 'pods', 'blue', '--remove-netns'])).exitCode).toBe(0);
});

describe('an ADD that never ends, and Ctrl-C', () => {
  const bin = '/run/endless';
  const [bridge] = pods.plugins;

  beforeEach(() => {
    mkdirSync(bin);
    writeFileSync(
      `${bin}/endless`,
      `#!/bin/sh
echo "$CNI_COMMAND" >>${bin}/calls
[ "$CNI_COMMAND" != ADD ] || exec sleep 600
`,
      { mode: 0o755 },
    );
    writeNetworks({ ...pods, plugins: [bridge, { type: 'endless' }] } as typeof pods);
  });

  afterEach(() => {
    rmSync(bin, { recursive: true });
  });

  test('the plugin is ended, what was made is taken back, and the trace shows where it was', async () => {
    const child = Bun.spawn([executable, 'add', 'pods', 'blue', '--create-netns', '--trace'], {
      env: { ...environment, CNI_PATH: `${binDirectory}:${bin}` },
      stderr: 'pipe',
    });
    while (!existsSync(`${bin}/calls`)) await Bun.sleep(10);
    child.kill('SIGINT');
    const stderr = await child.stderr.text();
    expect(await child.exited).toBe(1);
    expect(stderr).toMatch(
      /├─ ADD by plugin endless {2}✗ plugin `endless`: \/run\/endless\/endless was stopped: interrupted by SIGINT\n/,
    );
    expect(stderr).toMatch(/├─ DEL by plugin endless\n[\s\S]*├─ DEL by plugin bridge\n/);
    expect(stderr).toEndWith(
      'error 999: plugin `endless`: /run/endless/endless was stopped: interrupted by SIGINT\n',
    );
    expect(readFileSync(`${bin}/calls`, 'utf8')).toBe('ADD\nDEL\n');
    expect(existsSync('/run/netns/blue')).toBe(false);
    expect((await ip(undefined, 'link', 'show', 'type', 'veth')).length).toBe(0);
  });
});

describe('options and environment', () => {
  test('each option, and the variable of the same setting; the option goes before', async () => {
    createNetns('/run/netns/red');
    const other = { ...pods, name: 'other' };
    writeNetworks(other);
    const options = [
      ...['--net-conf-path', '/etc/cni/net.d', '--cache-dir', '/run/cache', '--ifname', 'net1'],
      ...['--container-id', 'red', '--args', 'IgnoreUnknown=1;IP=10.88.0.77'],
    ];
    const wrong = { NETCONFPATH: '/nowhere', CNI_IFNAME: 'wrong0', CNI_ARGS: 'IP=10.88.0.99' };
    const result = await fairleadJson<{ ips: { address: string }[] }>(
      ['add', 'other', '/run/netns/red', ...options],
      wrong,
    );
    expect(result.ips.map(({ address }) => address)).toContain('10.88.0.77/24');
    expect(readdirSync('/run/cache/results').filter((name) => !name.startsWith('.'))).toEqual([
      'other-red-net1',
    ]);
    expect((await ip('/run/netns/red', 'link', 'show', 'net1')).map(({ ifname }) => ifname)).toEqual([
      'net1',
    ]);
    await fairleadJson(['del', 'other', 'red', ...options], wrong);
    rmSync('/run/cache', { recursive: true });

    const variables = { NETCONFPATH: '/etc/cni/net.d', CNI_IFNAME: 'net2', CNI_ARGS: 'IP=10.88.0.78' };
    const again = await fairleadJson<{ ips: { address: string }[] }>(['add', 'other', 'red'], variables);
    expect(again.ips.map(({ address }) => address)).toContain('10.88.0.78/24');
    expect(readdirSync('/var/lib/cni/results').filter((name) => !name.startsWith('.'))).toEqual([
      expect.stringMatching(/^other-cnitool-[0-9a-f]{20}-net2$/),
    ]);
    await fairleadJson(['del', 'other', 'red'], variables);
  });

  test('a capability that nothing uses is said, and is no error', async () => {
    const { exitCode, stderr } = await fairlead([
      'add',
      'pods',
      'blue',
      '--create-netns',
      '--capability-args',
      '{"portMapings":[]}',
    ]);
    expect(stderr).toBe(
      'warning: capability "portMapings" is not used: no plugin of network "pods" declares it; it has portMappings\n',
    );
    expect(exitCode).toBe(0);
  });

  test('a namespace made for an ADD that fails is removed again', async () => {
    const before = await snapshot();
    const { exitCode, stderr } = await fairlead([
      'add',
      'pods',
      'blue',
      '--create-netns',
      '--args',
      'IP=10.99.0.1',
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('10.99.0.1');
    expect(diff(before, await snapshot(), /^file .*\/var\/lib\/cni/)).toEqual([]);
  });
});

describe('gc', () => {
  const ids = async () =>
    (await fairleadJson<{ attachments: { containerId: string }[] }>(['list'])).attachments
      .map(({ containerId }) => containerId)
      .sort();
  const addresses = () => readdirSync('/var/lib/cni/networks/pods').filter((name) => name.startsWith('10.'));

  beforeEach(async () => {
    for (const name of ['a', 'b', 'c'])
      await fairleadJson(['add', 'pods', name, '--container-id', name, '--create-netns'], { CAP_ARGS: '' });
  });

  afterEach(async () => {
    await fairleadJson(['gc', 'pods', '--keep-none']);
  });

  test('keeps what is given and removes the others', async () => {
    const { exitCode, stdout, stderr } = await fairlead(['gc', 'pods', '--keep', 'a/eth0', '--keep', 'c']);
    expect(stderr).toBe('');
    expect(stdout).toBe(
      `collected garbage of network pods: 1 removed, 2 kept

CONTAINER ID  INTERFACE  WHAT WAS DONE
b             eth0       removed
a             eth0       kept
c             eth0       kept
`,
    );
    expect(exitCode).toBe(0);
    expect(await ids()).toEqual(['a', 'c']);
    expect(addresses()).toHaveLength(2);
    expect(await ip('/run/netns/b', 'link', 'show', 'type', 'veth')).toEqual([]);
    expect(await ip('/run/netns/a', 'link', 'show', 'type', 'veth')).toHaveLength(1);
  });

  test('keeps what has its namespace where nothing is given', async () => {
    await Bun.$`umount /run/netns/b && rm /run/netns/b`.quiet();
    expect(await fairleadJson<unknown>(['gc', 'pods'])).toEqual({
      network: 'pods',
      collected: true,
      kept: [
        { containerId: 'a', ifname: 'eth0' },
        { containerId: 'c', ifname: 'eth0' },
      ],
      removed: [{ containerId: 'b', ifname: 'eth0' }],
    });
    expect(await ids()).toEqual(['a', 'c']);
    expect(addresses()).toHaveLength(2);
  });

  test('keeps nothing with --keep-none', async () => {
    expect((await fairlead(['gc', 'pods', '--keep-none'])).stdout).toStartWith(
      'collected garbage of network pods: 3 removed, 0 kept\n',
    );
    expect(await ids()).toEqual([]);
    expect(addresses()).toEqual([]);
  });
});

test('a network for an interface that every namespace has: loopback', async () => {
  writeNetworks({ ...pods, name: 'lo', plugins: [{ type: 'loopback' }] } as unknown as typeof pods);
  const { exitCode, stdout } = await fairlead(['add', 'lo', 'blue', '--create-netns', '--ifname', 'lo']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('lo         /run/netns/blue  00:00:00:00:00:00  127.0.0.1/8\n');
  expect((await fairlead(['del', 'lo', 'blue', '--ifname', 'lo', '--remove-netns'])).exitCode).toBe(0);
});
