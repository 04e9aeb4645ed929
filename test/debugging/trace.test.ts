/** Traces: of the command line, and of plugins that a runtime calls. */
// packages: iproute2
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { parseTrace } from '../../src/plugin/trace/entry.ts';
import { fairlead, fairleadJson, pods, writeNetworks } from '../cli/fairlead.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { add, del, failure, runPlugin } from '../support/plugin.ts';

const file = '/run/fairlead/trace.jsonl';
const [bridge] = pods.plugins;
const config = { ...bridge, cniVersion: '1.1.0', name: 'pods' };
const traced = { ...config, fairlead: { trace: true } };

beforeEach(() => writeNetworks(pods));

afterEach(async () => {
  removeContainers();
  for (const name of readdirSync('/run/netns')) await fairlead(['del', 'pods', name, '--remove-netns']);
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  rmSync('/run/fairlead', { recursive: true, force: true });
});

describe('--trace', () => {
  test('ADD of bridge: the link is created, host-local is called in process, nftables says what it was told', async () => {
    const { exitCode, stdout, stderr } = await fairlead(['add', 'pods', 'blue', '--create-netns', '--trace']);
    expect(exitCode).toBe(0);
    expect(stdout).toStartWith('connected eth0');
    const order = [
      /^ +0\.00 +\d+\.\d\d {2}fairlead add$/m,
      /├─ ADD by plugin bridge$/m,
      /│ {2}└─ ADD of plugin bridge, network pods, container cnitool-\w+, eth0$/m,
      /ADD of plugin host-local, in the same process$/m,
      /link \S+ to \/var\/lib\/cni\/networks\/pods\/10\.88\.0\.2$/m,
      /create veth link veth\w+ {2}RTM_NEWLINK excl create .*"peer":\{"name":"eth0"/,
      /requests in one datagram in \/run\/netns\/blue$/m,
      /add address 10\.88\.0\.2\/24 to link eth0 {2}RTM_NEWADDR/,
      /set sysctl net\/ipv4\/ip_forward to "1"$/m,
      /nft create element inet fairlead masquerade4 \{ 10\.88\.0\.2 /,
      /└─ ADD by plugin portmap$/m,
    ].map((pattern) => pattern.exec(stderr)?.index ?? pattern.source);
    expect(order).toEqual([...order].sort((a, b) => Number(a) - Number(b)));
    expect(order.every((index) => typeof index === 'number')).toBe(true);
  });

  test('what fails is in it, and the error is still the last line; --json has JSON lines', async () => {
    const argv = ['add', 'pods', 'red', '--create-netns', '--args', 'IP=10.99.0.1', '--trace'];
    const shown = await fairlead(argv);
    expect(shown.stderr).toMatch(/ADD of plugin host-local, in the same process {2}✗ requested 10\.99\.0\.1/);
    expect(shown.stderr.trimEnd().split('\n').at(-1)).toStartWith('error 7: ');
    const { exitCode, stdout, stderr } = await fairlead([...argv, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 7 });
    const entries = parseTrace(stderr);
    expect(entries.length).toBe(stderr.trimEnd().split('\n').length);
    expect(entries.find(({ text }) => text === 'get link eth0')).toMatchObject({
      netns: '/run/netns/red',
      requests: [{ message: 'RTM_GETLINK', values: { name: 'eth0' } }],
      error: expect.stringContaining('ENODEV'),
    });
  });

  test('nothing of it stays, and a command that has no such option says so', async () => {
    await fairlead(['status', '--trace']);
    expect(existsSync(file)).toBe(false);
    expect((await fairlead(['list', '--trace'])).exitCode).toBe(2);
  });
});

describe('a plugin that a runtime calls', () => {
  test("by the configuration: the file is root's alone, and `fairlead trace` shows it", async () => {
    const container = createContainer('blue');
    await add({ plugin: 'bridge', config: traced, container });
    await add({ plugin: 'bridge', config, container, ifname: 'eth1' });
    await del({ plugin: 'bridge', config: traced, container });
    expect(lstatSync(file).mode & 0o777).toBe(0o600);
    const entries = parseTrace(readFileSync(file, 'utf8'));
    const calls = entries.filter(({ kind, event }) => kind === 'plugin' && event === 'end');
    expect(calls.map(({ text }) => text)).toEqual([
      'ADD of plugin host-local',
      'ADD of plugin bridge',
      'DEL of plugin host-local',
      'DEL of plugin bridge',
    ]);
    const { stdout } = await fairlead(['trace', 'blu']);
    expect(stdout.match(/UTC, process/g)?.length).toBe(2);
    expect((await fairlead(['trace', 'red'])).stdout).toBe(`nothing traced in ${file}\n`);
    expect((await fairleadJson<unknown[]>(['trace'])).length).toBeGreaterThan(30);
    await fairlead(['trace', '--clear']);
    expect(existsSync(file)).toBe(false);
    await del({ plugin: 'bridge', config, container, ifname: 'eth1' });
  });

  test('without it nothing is written; a value that is none is an error, but not of DEL', async () => {
    const container = createContainer('blue');
    await add({ plugin: 'bridge', config: { ...config, fairlead: { trace: false } }, container });
    const wrong = { ...config, fairlead: { trace: 'yes' } };
    expect(
      (await failure({ plugin: 'bridge', command: 'ADD', config: wrong, container, ifname: 'eth1' })).msg,
    ).toBe('`fairlead.trace` of plugin `bridge` must be true or false, got "yes"');
    await del({ plugin: 'bridge', config: wrong, container });
    expect(existsSync(file)).toBe(false);
  });

  const unsafe: readonly [string, (path: string) => void, string][] = [
    ['a link', (path) => symlinkSync('/run/elsewhere', path), 'ELOOP'],
    ['a directory', (path) => mkdirSync(path), 'EISDIR'],
    [
      'in a directory where others write',
      () => chmodSync('/run/traces', 0o777),
      'others may write in /run/traces',
    ],
  ];
  test.each(unsafe)(
    'FAIRLEAD_TRACE: %s is not written to, and the plugin goes on',
    async (_, prepare, why) => {
      mkdirSync('/run/traces', { mode: 0o755 });
      prepare('/run/traces/t');
      const ended = await runPlugin({
        plugin: 'bridge',
        command: 'STATUS',
        config,
        env: { FAIRLEAD_TRACE: '/run/traces/t' },
      });
      rmSync('/run/traces', { recursive: true });
      expect(ended.exitCode).toBe(0);
      expect(ended.stderr).toMatch(/^fairlead: no trace is written: /);
      expect(ended.stderr).toContain(why);
      expect(existsSync('/run/elsewhere')).toBe(false);
    },
  );

  test('FAIRLEAD_TRACE: 1 is the usual file, a relative path is refused', async () => {
    await runPlugin({ plugin: 'bridge', command: 'STATUS', config, env: { FAIRLEAD_TRACE: '1' } });
    expect(existsSync(file)).toBe(true);
    const ended = await runPlugin({
      plugin: 'bridge',
      command: 'STATUS',
      config,
      env: { FAIRLEAD_TRACE: 'trace' },
    });
    expect(ended.stderr).toContain('"trace" is no absolute path of a file');
    expect(existsSync('trace')).toBe(false);
  });
});
