/** Mistakes of a plugin's author: each is told so that the author finds it, and an ADD is undone. */
import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { runPlugin } from './harness.ts';
import {
  type AddRequest,
  CniError,
  definePlugin,
  type Plugin,
  type PluginDefinition,
  watchProcess,
} from './index.ts';

const attached = { ips: [{ address: '10.0.0.1/8' }] };

const pluginWith = (add: (request: AddRequest) => unknown): Plugin =>
  definePlugin({
    name: 'mine',
    add: add as PluginDefinition<unknown>['add'],
    del: () => {},
    check: () => {},
  });

async function run(plugin: Plugin, { path = '/none', command = 'ADD' } = {}) {
  const said = { stdout: '', stderr: '' };
  const exitCode = await runPlugin(plugin, {
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c',
      CNI_NETNS: '/a',
      CNI_IFNAME: 'eth0',
      CNI_PATH: path,
    },
    stdinIsTerminal: () => false,
    readStdin: () => JSON.stringify({ cniVersion: '1.1.0', name: 'n', type: 'mine', ipam: { type: 'slow' } }),
    writeStdout: (text) => {
      said.stdout += text;
    },
    writeStderr: (text) => {
      said.stderr += text;
    },
    watch: watchProcess,
  });
  return { exitCode, stderr: said.stderr, json: said.stdout === '' ? undefined : JSON.parse(said.stdout) };
}

describe('what is thrown', () => {
  // On Node the tests run as bundles, without their sources' names.
  const here = /^thrown at mistakes\.test\.m?[jt]s:\d+:\d+$/;
  test.each<[string, (request: AddRequest) => unknown, object]>([
    [
      'an error',
      () => {
        throw new Error('no cable');
      },
      { code: 999, msg: 'no cable', details: expect.stringMatching(here) },
    ],
    [
      'a rejected promise',
      () => Promise.reject(new Error('no cable', { cause: new Error('no hands') })),
      {
        code: 999,
        msg: 'no cable',
        details: expect.stringMatching(/^no hands; thrown at mistakes\.test\.m?[jt]s:/),
      },
    ],
    ['a text', () => Promise.reject('no cable'), { code: 999, msg: 'no cable' }],
    ['nothing', () => Promise.reject(undefined), { code: 999, msg: 'failed without saying why' }],
    [
      'an error of the protocol',
      () => Promise.reject(new CniError(120, 'no cable', 'buy one')),
      { code: 120, msg: 'no cable', details: 'buy one' },
    ],
  ])('%s', async (_what, add, error) => {
    const { exitCode, json, stderr } = await run(pluginWith(add));
    expect(exitCode).toBe(1);
    expect(json).toEqual({ cniVersion: '1.1.0', ...error });
    expect(stderr).toBe('');
  });

  test('a mistake in the code names plugin, operation and line', async () => {
    const wrong = pluginWith(() => (undefined as unknown as { a: { b: number } }).a.b);
    const { json } = await run(wrong);
    expect(json.code).toBe(999);
    expect(json.msg).toMatch(/^ADD of plugin `mine` failed by a mistake in its code: TypeError: .*undefined/);
    expect(json.details).toMatch(/^thrown at mistakes\.test\.\w+:\d+:\d+$/);
  });
});

describe('standard output', () => {
  test.each<[string, () => void]>([
    ['console.log', () => Reflect.get(console, 'log')('here I am')],
    ['console.table', () => Reflect.get(console, 'table')(['here I am'])],
    ['process.stdout', () => Reflect.get(process, 'stdout').write('here I am\n')],
  ])('%s: what it prints goes to standard error, and the author is told', async (_what, print) => {
    const { exitCode, json, stderr } = await run(
      pluginWith(() => {
        print();
        return attached;
      }),
    );
    expect({ exitCode, json }).toMatchObject({ exitCode: 0, json: attached });
    expect(stderr).toBe(
      'plugin `mine` printed on standard output in ADD: that is for the result alone, so it was printed here; use console.error\n',
    );
  });

  test('looking at it is no printing, and afterwards all is as before', async () => {
    const before = [Reflect.get(console, 'log'), Object.getOwnPropertyDescriptor(process, 'stdout')?.get];
    const { stderr } = await run(
      pluginWith(() => {
        Reflect.get(process, 'stdout');
        return attached;
      }),
    );
    expect(stderr).toBe('');
    expect([Reflect.get(console, 'log'), Object.getOwnPropertyDescriptor(process, 'stdout')?.get]).toEqual(
      before,
    );
  });
});

describe('a promise that nobody waits for', () => {
  // One that fails by itself: test/sdk/mistakes.test.ts, as a test runner takes such failures for its own.
  test('of a call of another plugin: it is waited for, told, and taken back', async () => {
    const path = mkdtempSync(`${tmpdir()}/fairlead-mistakes-`);
    try {
      const script = '#!/bin/sh\necho $CNI_COMMAND >> "$0.calls"; sleep 0.1; echo "{}"\n';
      writeFileSync(`${path}/slow`, script, { mode: 0o755 });
      const { json } = await run(
        pluginWith(({ ipam }) => {
          void ipam.add();
          return attached;
        }),
        { path },
      );
      expect(json).toEqual({
        cniVersion: '1.1.0',
        code: 999,
        msg: 'ADD of plugin `mine` ended while its ADD of plugin `slow` was still running',
        details: 'it must be awaited',
      });
      expect(readFileSync(`${path}/slow.calls`, 'utf8')).toBe('ADD\nDEL\n');
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});

describe('a wrong result', () => {
  test.each<[string, unknown, string]>([
    ['none', undefined, 'the ADD of plugin `mine` returned no result'],
    [
      'an address of an interface that is not there',
      { ips: [{ address: '10.0.0.1/8', interface: 3 }] },
      'ips[0].interface',
    ],
    ['an address without its length', { ips: [{ address: '10.0.0.1' }] }, 'ips[0].address'],
  ])('%s', async (_what, result, message) => {
    const { json } = await run(pluginWith(() => result));
    expect(json.code).toBe(999);
    expect(json.msg).toContain(message);
  });
});
