/** Calls that failed: kept, bounded, private, and repeated by what is told. */
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
  writeFileSync,
} from 'node:fs';
import { fairlead, fairleadJson, pods, writeNetworks } from '../cli/fairlead.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { add, binDirectory, failure, type PluginCall, runPlugin, status } from '../support/plugin.ts';
import { runProgram } from '../support/program.ts';

const directory = '/run/fairlead/failures';
const [, portmap] = pods.plugins;

afterEach(() => {
  removeContainers();
  rmSync('/run/fairlead', { recursive: true, force: true });
});

const config = {
  cniVersion: '1.1.0',
  name: "pods'1",
  type: 'static',
  ipam: { type: 'static', addresses: [] },
};
const wrong: PluginCall = {
  plugin: 'static',
  command: 'ADD',
  config: { ...config, name: 'pods', ipam: { type: 'static', addresses: [{ address: "it's wrong" }] } },
  containerId: 'one',
  netns: '/run/netns/one',
  ifname: 'eth0',
  args: 'K8S_POD_NAME=web',
  env: { HTTPS_PROXY: 'http://user:secret@proxy' },
};

interface Kept {
  readonly id: number;
  readonly command: string;
  readonly stdin: string;
  readonly error: { readonly code: number; readonly message: string };
  readonly env: Record<string, string>;
  readonly repeat: string;
  readonly truncated?: true;
}
const kept = () => fairleadJson<Kept[]>(['failures']);

test('a failed ADD is kept for root alone, with the variables of the protocol and no others', async () => {
  const { msg } = await failure(wrong);
  expect([directory, `${directory}/1.json`].map((path) => lstatSync(path).mode & 0o777)).toEqual([
    0o700, 0o600,
  ]);
  expect(readdirSync(directory)).toEqual(['1.json']);
  const [one] = await kept();
  expect(one).toMatchObject({ id: 1, command: 'ADD', error: { message: msg } });
  expect(JSON.parse(one?.stdin ?? '')).toEqual(wrong.config);
  expect(one?.env).toEqual({
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'one',
    CNI_NETNS: '/run/netns/one',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: 'K8S_POD_NAME=web',
    CNI_PATH: binDirectory,
  });
  expect(readFileSync(`${directory}/1.json`, 'utf8')).not.toContain('secret');
});

test('both ways to repeat it do what was done, and say what is said now', async () => {
  createContainer('one');
  await failure(wrong);
  const [{ repeat = '', error } = {}] = await kept();
  const byShell = await runProgram(['sh', '-c', repeat]);
  expect(byShell.exitCode).toBe(1);
  expect(JSON.parse(byShell.stdout)).toMatchObject({ code: error?.code, msg: error?.message });
  const again = await fairlead(['failures', '1', '--repeat', '--trace']);
  expect(again.exitCode).toBe(1);
  expect(again.stdout).toStartWith(`failed again, error ${error?.code}: `);
  expect(again.stderr).toMatch(
    /ADD by plugin static\n.*└─ ADD of plugin static, network pods, container one, eth0 {2}✗/,
  );
  expect((await kept()).map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('one that succeeds by now says so', async () => {
  const busy = createContainer('one');
  const loopback = { cniVersion: '1.1.0', name: 'lo', type: 'loopback' };
  busy.remove();
  await failure({
    plugin: 'loopback',
    command: 'ADD',
    config: loopback,
    containerId: 'one',
    netns: busy.netns,
    ifname: 'lo',
  });
  createContainer('one');
  const again = await fairlead(['failures', '--last', '--repeat']);
  expect([again.exitCode, again.stdout.split('\n')[0]]).toEqual([0, 'succeeded']);
});

describe('an ADD whose namespace is gone, as after `add --create-netns` that failed', () => {
  const owner = ['add', 'pods', 'green', '--create-netns', '--args', 'IP=10.88.0.9'];
  const namespaces = () => readdirSync('/run/netns').sort();
  const reserved = () => readdirSync('/var/lib/cni/networks/pods').filter((name) => name.startsWith('10.'));
  /** The address is held by another container, so this ADD fails in the middle: in its namespace. */
  const addBlue = () => fairlead(['add', 'pods', 'blue', '--create-netns', '--args', 'IP=10.88.0.9']);

  beforeEach(async () => {
    writeNetworks(pods);
    await fairleadJson(owner);
    expect((await addBlue()).stderr).toContain('10.88.0.9');
    expect(namespaces()).toEqual(['green']);
  });

  afterEach(async () => {
    await fairlead(['del', 'pods', 'green', '--remove-netns']);
    await runProgram(['ip', 'link', 'del', 'pods0']);
    rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  });

  test('it is repeated in a new one, as it is printed, and fails as it did', async () => {
    const [first] = await kept();
    const again = await fairlead(['failures', '1', '--repeat']);
    expect(again).toEqual({
      exitCode: 1,
      stdout: `failed again, error ${first?.error.code}: ${first?.error.message}\nin a namespace made for it, since /run/netns/blue is gone\n`,
      stderr: '',
    });
    expect(namespaces()).toEqual(['green']);

    const shown = (await fairlead(['failures', '1'])).stdout;
    const [, lines = ''] = /from \S+:\n\n([\s\S]*)\n$/.exec(shown) ?? [];
    expect(lines.split('\n')).toEqual([
      'mkdir -p /run/netns && touch /run/netns/blue && unshare --net=/run/netns/blue true',
      expect.stringMatching(/^printf /),
      'umount /run/netns/blue && rm /run/netns/blue',
    ]);
    const byShell = await runProgram(['sh', '-c', lines]);
    expect(JSON.parse(byShell.stdout)).toMatchObject({ code: first?.error.code, msg: first?.error.message });
    expect(namespaces()).toEqual(['green']);
  });

  test('one that succeeds by now is taken back', async () => {
    await fairleadJson(['del', 'pods', 'green', '--remove-netns']);
    const again = await fairlead(['failures', '1', '--repeat']);
    expect(again.stdout).toStartWith(
      'succeeded, and was taken back: in a namespace made for it, since /run/netns/blue is gone\n{',
    );
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    expect([namespaces(), reserved()]).toEqual([[], []]);
    expect(await fairleadJson<unknown>(['failures', '1', '--repeat'])).toMatchObject({
      inNewNamespace: true,
    });
  });

  test('a namespace that was no file of /run/netns, and a plugin in a chain', async () => {
    rmSync(directory, { recursive: true });
    const config = { ...portmap, cniVersion: '1.1.0', name: 'pods', markMasqBit: 99, prevResult: {} };
    await failure({
      plugin: 'portmap',
      command: 'ADD',
      config,
      containerId: 'one',
      netns: '/proc/99999999/ns/net',
      ifname: 'eth0',
    });
    expect((await fairlead(['failures', '--last', '--repeat'])).stdout).toMatch(
      /^failed again, error 7: `markMasqBit` .*\nin a namespace made for it, since \/proc\/99999999\/ns\/net is gone; what the plugins before it made is not in there\n$/,
    );
    const [, netns = ''] = /CNI_NETNS=(\S+)/.exec((await kept())[0]?.repeat ?? '') ?? [];
    expect(netns).toBe('/run/netns/failure-1');
  });
});

test('an ADD that failed for want of its namespace is repeated without one', async () => {
  const config = { cniVersion: '1.1.0', name: 'lo', type: 'loopback' };
  await failure({
    plugin: 'loopback',
    command: 'ADD',
    config,
    containerId: 'one',
    netns: '/run/netns/one',
    ifname: 'lo',
  });
  expect((await fairlead(['failures', '--last', '--repeat'])).stdout).toBe(
    'failed again, error 8: CNI_NETNS /run/netns/one does not exist\n',
  );
  expect((await kept())[0]?.repeat).toStartWith('printf ');
});

test('what succeeds, and STATUS, leave nothing', async () => {
  const container = createContainer('one');
  await add({
    plugin: 'loopback',
    config: { cniVersion: '1.1.0', name: 'lo', type: 'loopback' },
    container,
    ifname: 'lo',
  });
  await status({ plugin: 'static', config: { ...config, name: 'pods' } });
  await failure({ ...wrong, command: 'STATUS', config: { ...config, name: '-' } });
  expect(existsSync('/run/fairlead')).toBe(false);
  expect((await fairlead(['failures'])).stdout).toBe('no failures\n');
});

test('at most a hundred are kept, each of a bounded size, also when many fail at once', async () => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync('/run/fairlead', 0o700);
  for (let id = 1; id <= 97; id++) writeFileSync(`${directory}/${id}.json`, '{}');
  writeFileSync(`${directory}/.new-1`, 'half', { mode: 0o600 });
  await runProgram(['touch', '-d', '1 hour ago', `${directory}/.new-1`]);
  await Promise.all(Array.from({ length: 8 }, () => failure(wrong)));
  await failure({ ...wrong, stdin: `{"name": "${'x'.repeat(300_000)}"}` });
  const files = readdirSync(directory);
  expect(files.length).toBe(100);
  expect(
    files
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b)
      .slice(-9),
  ).toEqual(Array.from({ length: 9 }, (_, index) => 98 + index));
  expect(lstatSync(`${directory}/106.json`).size).toBeLessThan(80 * 1024);
  const list = await kept();
  expect(list.length).toBe(9);
  expect(list.at(-1)).toMatchObject({ id: 106, truncated: true });
  expect((await fairlead(['failures', '106', '--repeat'])).exitCode).toBe(1);
  expect((await fairlead(['failures', '--clear'])).stdout).toBe('forgot 100 failures\n');
  expect(readdirSync(directory)).toEqual([]);
});

test('where it cannot be kept, the plugin fails as it would: a file, a link, and a directory of others in the way', async () => {
  const { exitCode, stdout, stderr } = await runPlugin(wrong);
  rmSync('/run/fairlead', { recursive: true });
  const ways: readonly (() => void)[] = [
    () => writeFileSync('/run/fairlead', ''),
    () => {
      mkdirSync('/run/elsewhere', { recursive: true, mode: 0o700 });
      mkdirSync('/run/fairlead');
      symlinkSync('/run/elsewhere', directory);
    },
    () => {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o777);
    },
  ];
  for (const prepare of ways) {
    prepare();
    expect(await runPlugin(wrong)).toMatchObject({ exitCode, stdout, stderr });
    rmSync('/run/fairlead', { recursive: true });
  }
  expect(readdirSync('/run/elsewhere')).toEqual([]);
  rmSync('/run/elsewhere', { recursive: true });
});
