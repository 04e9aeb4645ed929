/**
 * Where a plugin is started: by somebody who is not root, with a standard output that takes nothing, without /proc, in a
 * directory full of files that JavaScript runtimes read.
 */
// packages: strace util-linux
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { kernelHasKind } from '../kernel/iproute.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { type PluginCall, runPlugin } from '../support/plugin.ts';
import {
  callOf,
  makeDevice,
  makeInterface,
  makeMaster,
  refusalIn,
  removeInterface,
  type Subject,
  subjects,
} from './plugins.ts';

/** Links and files that the first ADD of a network makes, and that stay for the next one. */
const lasting =
  /faults0|^file \/var\/lib\/cni\/networks|^file \/var\/lib\/fairlead|^file \/run\/cni\/tuning\/ |^sysctl |^nft (\{|set )|dev":"faults0/;

let before: Snapshot;
beforeEach(async () => {
  createContainer('faults');
  before = await snapshot();
});
afterEach(removeContainers);

async function changes(except?: RegExp): Promise<string[]> {
  return diff(before, await snapshot(), except);
}

const kinds = new Set<string>();
for (const kind of ['dummy', 'ipvlan', 'vlan', 'vrf']) if (await kernelHasKind(kind)) kinds.add(kind);

function each(name: string, body: (plugin: Subject['plugin'], subject: Subject) => void): void {
  // On a kernel without its kind of link, or without its daemon, a plugin can but refuse: its own tests are about that.
  const possible = subjects.filter(
    ({ kind, needsDaemon }) => needsDaemon === undefined && (kind === undefined || kinds.has(kind)),
  );
  describe.each(possible.map((subject) => [subject.plugin, subject] as const))(name, (plugin, subject) => {
    const make =
      (subject.needsInterface && makeInterface) ||
      (subject.needsMaster && makeMaster) ||
      (subject.needsDevice && makeDevice);
    if (make) {
      beforeEach(async () => {
        await make();
        before = await snapshot();
      });
      afterEach(removeInterface);
    }
    body(plugin, subject);
  });
}

each('%s, called by somebody who is not root', (plugin, subject) => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--'];

  test('ADD: one error that says so, and nothing changed', async () => {
    const ended = await runPlugin(callOf(subject, 'ADD', { under: nobody }));
    if (plugin === 'static') return expect(ended).toMatchObject({ exitCode: 0 });
    const { code, msg, details = '' } = refusalIn(ended, plugin);
    expect(`${msg}; ${details}`).toMatch(/EPERM|EACCES/);
    expect([4, 5, 8, 999]).toContain(code);
    expect(await changes()).toEqual([]);
  });
});

/** Under a shell that starts the plugin with a changed descriptor. */
function redirected(how: string): readonly string[] {
  return ['sh', '-c', `exec "$0" "$@" ${how}`];
}

each('%s, whose standard output', (_, subject) => {
  test('is full: exit code 1 and a line on standard error; DEL removes what ADD made', async () => {
    const ended = await runPlugin(callOf(subject, 'ADD', { under: redirected('>/dev/full') }));
    expect(ended).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^[^\n]*ENOSPC[^\n]*\n$/),
    });
    expect(await runPlugin(callOf(subject, 'DEL'))).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await changes(lasting)).toEqual([]);
  });

  test.each(['>&-', '<&- >&-', '>&- 2>&-', '<&- >&- 2>&-'])(
    'is closed (%s): nothing is written anywhere else',
    async (how) => {
      const ended = await runPlugin(callOf(subject, 'ADD', { under: redirected(how) }));
      expect(ended.stdout).toBe('');
      // A result written into a file or socket that got the number of standard output would show here.
      expect(await runPlugin(callOf(subject, 'DEL'))).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await changes(lasting)).toEqual([]);
      for (const line of (await snapshot()).filter((text) => text.startsWith('file ')))
        expect(line).not.toContain('cniVersion');
    },
  );

  test('is a pipe that nobody reads: the process ends', async () => {
    const under = ['sh', '-c', '"$0" "$@" | true'];
    expect(await runPlugin(callOf(subject, 'ADD', { under, timeoutSeconds: 10 }))).toMatchObject({
      stdout: '',
    });
    expect(await runPlugin(callOf(subject, 'DEL'))).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await changes(lasting)).toEqual([]);
  });
});

each('%s, in a directory that someone else filled', (plugin, subject) => {
  const marker = '/run/executed';
  const code = `require('node:fs').writeFileSync('${marker}', ''); process.exit(42);`;
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync('/run/trap-');
    const files: Record<string, string> = {
      '.env': 'CNI_CONTAINERID=trapped\nCNI_COMMAND=VERSION\nCNI_ARGS=IP=10.7.0.99\n',
      '.env.local': 'CNI_IFNAME=trapped0\n',
      '.env.production': 'CNI_IFNAME=trapped0\n',
      'bunfig.toml': 'preload = ["./trap.js"]\n[run]\nbun = true\n',
      '.npmrc': 'script-shell=./trap.js\n',
      'package.json': '{"name":"trap","type":"commonjs","main":"trap.js","imports":{"#*":"./trap.js"}}',
      'tsconfig.json': '{"compilerOptions":{"paths":{"*":["./trap.js"]}}}',
      'jsconfig.json': '{"compilerOptions":{"paths":{"*":["./trap.js"]}}}',
      'trap.js': code,
      'index.js': code,
      'index.ts': code,
      [plugin]: '#!/bin/sh\nexit 42\n',
      'host-local': '#!/bin/sh\nexit 42\n',
      'libc.so.6': 'no library',
      'node_modules/bun/package.json': '{"name":"bun","main":"../../trap.js"}',
      'node_modules/node:fs/package.json': '{"name":"node:fs","main":"../../trap.js"}',
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(`${directory}/${name}`.replace(/\/[^/]+$/, ''), { recursive: true });
      writeFileSync(`${directory}/${name}`, text, { mode: 0o755 });
    }
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    rmSync(marker, { force: true });
  });

  test('nothing of it is opened or looked at', async () => {
    const trace = '/run/strace.out';
    const under = ['strace', '-f', '-qq', '-s', '400', '-o', trace, '-e', 'trace=%file'];
    const ended = await runPlugin(callOf(subject, 'ADD', { cwd: directory, under }));
    const lines = readFileSync(trace, 'utf8').split('\n');
    await runPlugin(callOf(subject, 'DEL'));
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(lines.length).toBeGreaterThan(10);
    const relative = lines.filter((line) => {
      const [, call, path] = /^\d+ +(\w+)\((?:AT_FDCWD, )?"([^"]*)"/.exec(line) ?? [];
      return (
        call !== undefined &&
        call !== 'getcwd' &&
        path !== undefined &&
        (path.startsWith(directory) || (path !== '' && !path.startsWith('/')))
      );
    });
    expect(relative).toEqual([]);
    expect(await Bun.file(marker).exists()).toBe(false);
  });
});

each('%s, without /proc', (plugin, subject) => {
  const call = (command: string): PluginCall =>
    callOf(subject, command, {
      under: ['unshare', '--mount', 'sh', '-c', 'umount -l /proc && exec "$0" "$@"'],
    });

  test('ADD works, or says in one error what it needs', async () => {
    const ended = await runPlugin(call('ADD'));
    if (ended.exitCode !== 0) {
      const { msg, details = '' } = refusalIn(ended, plugin);
      expect(`${msg}; ${details}`).toContain('/proc');
    }
    expect(await runPlugin(callOf(subject, 'DEL'))).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await changes(lasting)).toEqual([]);
  });
});
