/** What a person is told when something is wrong: one line, its exit code, and nothing is changed. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { createNetns, removeNetns } from '../../src/kernel/netns/netns.ts';
import { diff, snapshot } from '../support/node.ts';
import { binDirectory, dist } from '../support/plugin.ts';
import { runProgram } from '../support/program.ts';
import {
  environment,
  executable,
  fairlead,
  fairleadJson,
  netConfPath,
  pods,
  writeNetworks,
} from './fairlead.ts';

beforeEach(() => {
  writeNetworks(pods, { ...pods, name: 'storage' });
  const wrong = { cniVersion: '1.1.0', name: 'wrong', plugins: [{ type: 'bridge', vlan: 5000 }] };
  writeFileSync(`${netConfPath}/20-wrong.conflist`, JSON.stringify(wrong));
  const none = { cniVersion: '1.1.0', name: 'none', plugins: [{ type: 'nobodys' }] };
  writeFileSync(`${netConfPath}/20-none.conflist`, JSON.stringify(none));
  createNetns('/run/netns/blue');
});

afterEach(() => {
  removeNetns('/run/netns/blue');
});

const failures: readonly [
  name: string,
  argv: string[],
  exitCode: number,
  code: number,
  message: string | RegExp,
  env?: Record<string, string>,
][] = [
  [
    'a network that is not there',
    ['add', 'podz', 'blue'],
    1,
    7,
    `no network "podz" in ${netConfPath}; it has pods, storage, none, wrong`,
  ],
  [
    'a directory without networks',
    ['add', 'pods', 'blue'],
    1,
    7,
    'no network "pods" in /nowhere; it has no network configurations',
    { NETCONFPATH: '/nowhere' },
  ],
  [
    'CNI_PATH that is not there',
    ['add', 'pods', 'blue'],
    2,
    4,
    'there is no directory with plugins: CNI_PATH is /nowhere:/other; `fairlead install DIR` makes one; --plugin-path DIR or CNI_PATH=DIR names it',
    { CNI_PATH: '/nowhere:/other' },
  ],
  [
    'a plugin that is not there',
    ['add', 'pods', 'blue', '--plugin-path', '/etc'],
    1,
    999,
    'cannot find an executable for plugin type `bridge`: not in /etc; taking it back failed too: cannot find an executable for plugin type `portmap`: not in /etc',
  ],
  [
    'CAP_ARGS that are no JSON',
    ['add', 'pods', 'blue'],
    2,
    4,
    /^CAP_ARGS must be a JSON object such as \{.*: at character 1 should be a value; see `fairlead add --help`$/,
    { CAP_ARGS: 'hostPort' },
  ],
  [
    'CAP_ARGS that a plugin refuses',
    ['add', 'pods', 'blue'],
    1,
    7,
    '`runtimeConfig.portMappings[0].hostPort` of plugin `portmap` must be 1–65535, got 0',
    { CAP_ARGS: '{"portMappings":[{"hostPort":0,"containerPort":80}]}' },
  ],
  [
    'a namespace that is not there',
    ['add', 'pods', 'red'],
    1,
    8,
    'there is no network namespace /run/netns/red; --create-netns makes it',
  ],
  [
    'a namespace that is a file',
    ['add', 'pods', '/etc/hostname'],
    1,
    8,
    /\/etc\/hostname is a plain file, not a network namespace/,
  ],
  [
    'check of what was never added, where nothing is',
    ['check', 'pods', 'blue'],
    1,
    3,
    /^network "pods" has no attachment eth0 of cnitool-[0-9a-f]{20} in \/run\/netns\/blue; nothing is connected to it$/,
  ],
  [
    'a key that a plugin refuses: its name once',
    ['add', 'wrong', 'blue'],
    1,
    7,
    '`vlan` of plugin `bridge` must be 0–4094, got 5000',
  ],
  [
    'a plugin that is nowhere: its name once',
    ['add', 'none', 'blue'],
    1,
    999,
    /^cannot find an executable for plugin type `nobodys`: not in /,
  ],
  [
    'status of a network that is not there',
    ['status', 'podz'],
    1,
    7,
    `no network "podz" in ${netConfPath}; it has pods, storage, none, wrong`,
  ],
  [
    'gc of a network that is not there',
    ['gc', 'podz'],
    1,
    7,
    `no network "podz" in ${netConfPath}; it has pods, storage, none, wrong`,
  ],
];

describe.each(failures)('%s', (_name, argv, exitCode, code, message, env) => {
  test('for people and for programs', async () => {
    const before = await snapshot();
    const people = await fairlead(argv, env);
    expect([people.exitCode, people.stdout]).toEqual([exitCode, '']);
    expect(people.stderr.match(/\n/g)).toHaveLength(1);
    const said = people.stderr.trimEnd().replace(/^error (\d+): /, '');
    expect(people.stderr).toStartWith(`error ${code}: `);
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);

    const programs = await fairlead([...argv, '--json'], env);
    expect([programs.exitCode, programs.stderr]).toEqual([exitCode, '']);
    const error = JSON.parse(programs.stdout) as {
      cniVersion: string;
      code: number;
      msg: string;
      details?: string;
    };
    expect([error.cniVersion, error.code]).toEqual(['1.1.0', code]);
    expect([error.msg, error.details].filter((part) => part !== undefined).join('; ')).toBe(said);
    // The bridge stays, as with the reference plugins, and so do the tables.
    const staying = /^(file \/var\/lib\/cni|link pods0|address pods0|route|nft|sysctl|neighbour)/;
    expect(diff(before, await snapshot(), staying)).toEqual([]);
    await Bun.$`ip link del pods0`.quiet().nothrow();
  });
});

test('a second add of the same attachment says how to go on, and changes nothing', async () => {
  expect((await fairlead(['add', 'pods', 'blue'])).exitCode).toBe(0);
  const before = await snapshot();
  const { exitCode, stderr } = await fairlead(['add', 'pods', 'blue']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^error 4: eth0 of container cnitool-[0-9a-f]{20} is connected to network "pods" already \(in \/run\/netns\/blue\); `fairlead del` with the same arguments disconnects it\n$/,
  );
  expect(diff(before, await snapshot())).toEqual([]);
  expect((await fairlead(['del', 'pods', 'blue'])).exitCode).toBe(0);
});

test('a file that is wrong is said beside the networks that are right', async () => {
  writeFileSync(`${netConfPath}/20-bad.conflist`, '{\n  "name": "bad",\n}');
  const { exitCode, stdout, stderr } = await fairlead(['list']);
  expect(stdout).toContain('pods     1.1.0    bridge → portmap');
  expect(stderr).toBe(
    `warning: ${netConfPath}/20-bad.conflist:3:1: is not JSON: here should be a member name in double quotes\n`,
  );
  expect(exitCode).toBe(0);
  const status = await fairlead(['status']);
  expect(status.exitCode).toBe(1);
  expect(status.stdout).toContain('pods     ready');
});

test('status: a network whose plugin is not there', async () => {
  writeNetworks(pods, { ...pods, name: 'lame', plugins: [{ type: 'nobodys' }] } as typeof pods);
  const { exitCode, stdout } = await fairlead(['status']);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /^NETWORK {2}STATUS {5}REASON\nlame {5}error 999 {2}cannot find an executable for plugin type `nobodys`: .*\npods {5}ready\n$/,
  );
});

test('status: a network that cannot be asked is not called ready', async () => {
  writeNetworks(pods, { ...pods, name: 'old', cniVersion: '1.0.0' } as typeof pods);
  const { exitCode, stdout } = await fairlead(['status']);
  expect(stdout).toBe(
    `NETWORK  STATUS     REASON
old      not asked  version 1.0.0 has no STATUS; the plugins are there and have this version
pods     ready
`,
  );
  expect(exitCode).toBe(0);
  expect(await fairleadJson<unknown>(['status', 'old'])).toMatchObject({
    networks: [{ network: 'old', ready: null }],
  });
});

test('check of what was never added: which attachments the network has', async () => {
  expect((await fairlead(['add', 'pods', 'blue'])).exitCode).toBe(0);
  expect((await fairlead(['add', 'storage', 'blue', '--ifname', 'eth1'])).exitCode).toBe(0);
  const { exitCode, stderr } = await fairlead(['check', 'pods', 'blue', '--ifname', 'eth7']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^error 3: network "pods" has no attachment eth7 of (cnitool-[0-9a-f]{20}) in \/run\/netns\/blue; it has eth0 of \1 in \/run\/netns\/blue\n$/,
  );
  expect((await fairlead(['del', 'storage', 'blue', '--ifname', 'eth1'])).exitCode).toBe(0);
  expect((await fairlead(['del', 'pods', 'blue'])).exitCode).toBe(0);
});

test('del of what was never added says so, and what it did all the same', async () => {
  expect(await fairlead(['del', 'pods', 'blue'])).toEqual({
    exitCode: 0,
    stdout:
      'nothing to disconnect: eth0 in /run/netns/blue was not connected to network pods; DEL was called all the same\n',
    stderr: '',
  });
  expect(await fairleadJson<unknown>(['del', 'pods', 'blue'])).toMatchObject({ wasConnected: false });
  const { exitCode, stdout } = await fairlead(['del', 'pods', 'red', '--remove-netns']);
  expect([exitCode, stdout]).toEqual([
    0,
    'nothing to disconnect: eth0 in /run/netns/red was not connected to network pods; DEL was called all the same; there was no namespace to remove\n',
  ]);
});

describe('without root', () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
  const asNobody = (argv: readonly string[]) =>
    runProgram([...nobody, `${readable}/fairlead`, ...argv], { env: { ...environment, CNI_PATH: readable } });
  /** A place that everyone may read; the checkout may be in a home directory. */
  const readable = '/run/readable';

  beforeEach(async () => {
    await Bun.$`rm -rf ${readable} && mkdir ${readable} && cp ${executable} ${readable}/ && cp -P ${binDirectory}/. ${readable}/ -r`.quiet();
    for (const name of ['bridge', 'host-local', 'portmap']) {
      rmSync(`${readable}/${name}`);
      await Bun.$`ln -s fairlead ${readable}/${name}`.quiet();
    }
  });

  afterEach(() => {
    rmSync(readable, { recursive: true });
  });

  test('version, help and validate', async () => {
    expect((await asNobody(['version'])).stdout).toStartWith('fairlead ');
    expect((await asNobody(['help'])).exitCode).toBe(0);
    expect(await asNobody(['validate', `${netConfPath}/10-pods.conflist`])).toEqual({
      exitCode: 0,
      stdout: `ok ${netConfPath}/10-pods.conflist: network pods, bridge → portmap\n`,
      stderr: '',
    });
  });

  test('what needs root says so', async () => {
    const made = await asNobody(['add', 'pods', 'red', '--create-netns']);
    expect(made.exitCode).toBe(1);
    expect((await fairlead(['add', 'pods', 'blue'])).exitCode).toBe(0);
    const list = await asNobody(['list']);
    await fairlead(['del', 'pods', 'blue']);
    expect(list.stderr).toMatch(
      /^error 5: \/var\/lib\/cni\/results: cannot be listed: EACCES.*; run it as root\n$/,
    );
    expect(made.stderr).toMatch(
      /^error \d+: .*(EACCES|EPERM|not permitted|permission denied).*; run it as root\n$/i,
    );
  });
});

test('an executable of another name is the command line', async () => {
  const renamed = '/run/fairlead-1.2';
  await Bun.$`cp ${dist}/fairlead ${renamed}`.quiet();
  expect((await runProgram([renamed, 'version'])).stdout).toStartWith('fairlead ');
  rmSync(renamed);
});

test('an ADD that fails takes nothing away that was there before', async () => {
  await Bun.$`ip -n blue link add eth0 type veth peer name other`.quiet();
  const { exitCode, stderr } = await fairlead(['add', 'pods', 'blue']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error \d+: plugin `bridge`: .*eth0.*\n$/);
  expect((await Bun.$`ip -n blue link show eth0`.quiet()).exitCode).toBe(0);
});
