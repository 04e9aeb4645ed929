/** What libcni.test.ts cannot show: messages, files, refusals and stopping, which are this runtime's own. */

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rejectionOf } from '../testing.ts';
import { createRuntime, decodeResult, parseNetwork, type Runtime, type RuntimeOptions } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'fairlead-runtime-'));
afterAll(() => rmSync(root, { recursive: true }));

let dir = '';
let stderr = '';
beforeEach(() => {
  dir = mkdtempSync(join(root, 'node-'));
  mkdirSync(join(dir, 'bin'));
  stderr = '';
});

/** Makes a plugin: notes its type and command, then runs the script's body. */
function plugin(type: string, body = "echo '{}'"): void {
  const path = join(dir, 'bin', type);
  writeFileSync(path, `#!/bin/sh\necho "\${0##*/} $CNI_COMMAND" >>${dir}/calls\n${body}\n`);
  chmodSync(path, 0o755);
}

function calls(): string[] {
  try {
    return readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function runtime(options: Partial<RuntimeOptions> = {}): Runtime {
  return createRuntime({
    pluginPath: [join(dir, 'bin')],
    cacheDir: join(dir, 'cache'),
    env: { PATH: process.env.PATH },
    writeStderr: (text) => {
      stderr += text;
    },
    ...options,
  });
}

const network = (more: object = {}) =>
  parseNetwork(
    new TextEncoder().encode(
      JSON.stringify({ cniVersion: '1.1.0', name: 'net', plugins: [{ type: 'a' }, { type: 'b' }], ...more }),
    ),
  );
const attachment = { containerId: 'c1', ifname: 'eth0', netns: '/run/netns/a' };

const fails = (code: number, msg: string) => `echo '{"code":${code},"msg":"${msg}"}'; exit 1`;

describe('errors', () => {
  test('name the plugin and keep its code and details', async () => {
    plugin('a');
    plugin('b', `echo '{"code":102,"msg":"no more","details":"of it"}'; exit 1`);
    expect(await rejectionOf(() => runtime().add(network(), attachment))).toMatchObject({
      code: 102,
      msg: 'plugin `b`: no more',
      details: 'of it',
    });
  });

  test('a plugin that is nowhere', async () => {
    const { msg } = await rejectionOf(() => runtime().check(network(), attachment));
    expect(msg).toBe(`cannot find an executable for plugin type \`a\`: not in ${dir}/bin`);
  });

  test('a folder that cannot be looked into is passed over', async () => {
    for (const type of ['a', 'b']) plugin(type);
    const pluginPath = [`/${'x'.repeat(300)}`, '/dev/null', '/absent', join(dir, 'bin')];
    await runtime({ pluginPath }).add(network(), attachment);
    expect(calls()).toEqual(['a ADD', 'b ADD']);
  });

  test('a plugin that cannot be executed', async () => {
    plugin('a');
    chmodSync(join(dir, 'bin', 'a'), 0o644);
    const { msg } = await rejectionOf(() => runtime().add(network(), attachment));
    expect(msg).toContain(`plugin \`a\`: cannot execute ${dir}/bin/a: `);
  });

  test.each([
    ['true', 'it succeeded, but printed no result'],
    ['echo x', 'it printed a result that is no JSON'],
    [`echo '{"ips":[{"address":"x"}]}'`, 'the result of ADD: `ips[0].address` must be an IP address with'],
    [`echo '{"cniVersion":"8.0.0"}'`, 'the result of ADD has the CNI version "8.0.0", which is none of'],
  ])('a result that is none: %s', async (body, message) => {
    plugin('a', body);
    plugin('b');
    const error = await rejectionOf(() => runtime().add(network(), attachment));
    expect(error.msg).toContain(`plugin \`a\`: ${message}`);
    expect(error.code).toBe(6);
    expect(calls()).toEqual(['a ADD']);
  });

  test('of GC are all told, and the first gives the code', async () => {
    plugin('a', `if [ $CNI_COMMAND = ADD ]; then echo '{}'; else ${fails(105, 'full')}; fi`);
    plugin('b', `if [ $CNI_COMMAND = GC ]; then ${fails(106, 'stuck')}; else echo '{}'; fi`);
    await runtime().add(network(), attachment);
    const error = await rejectionOf(() => runtime().gc(network(), []));
    expect(error).toMatchObject({
      code: 105,
      msg: 'DEL of stale container c1, eth0: plugin `a`: full',
      details: 'plugin `a`: full; plugin `b`: stuck',
    });
    expect(calls()).toEqual(['a ADD', 'b ADD', 'b DEL', 'a DEL', 'a GC', 'b GC']);
  });

  test('of STATUS have a code that says what it means', async () => {
    expect((await rejectionOf(() => runtime().status(network()))).code).toBe(50);
    plugin('a', 'exit 3');
    expect((await rejectionOf(() => runtime().status(network()))).code).toBe(50);
    plugin('a', fails(51, 'no DHCP'));
    expect(await rejectionOf(() => runtime().status(network()))).toMatchObject({
      code: 51,
      msg: 'plugin `a`: no DHCP',
    });
  });

  test('CHECK of a network that is too old', async () => {
    const error = await rejectionOf(() => runtime().check(network({ cniVersion: '0.3.1' }), attachment));
    expect(error).toMatchObject({
      code: 1,
      msg: 'CHECK needs CNI version 0.4.0 or newer, network "net" has 0.3.1',
    });
  });

  test('every plugin that is wrong is told by validate', async () => {
    plugin('b', `echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0"]}'`);
    const { problems } = await runtime().validate(network());
    expect(problems.map(({ index, error }) => [index, error.code, error.msg])).toEqual([
      [0, 999, expect.stringContaining('cannot find an executable for plugin type `a`')],
      [1, 1, 'plugin `b`: does not support CNI version 1.1.0'],
    ]);
  });
});

describe('what is refused before a plugin is called', () => {
  test.each([
    [{ containerId: '' }, 3, 'the container id is missing'],
    [{ containerId: '../x' }, 4, 'the container id must start with'],
    [{ containerId: 'a\0b' }, 4, 'the container id must start with'],
    [{ containerId: 'c'.repeat(250) }, 4, 'must together have at most 253 bytes, got 257'],
    [{ ifname: 'a/b' }, 4, 'the interface’s name must not have'],
    [{ ifname: 'sixteen-letters1' }, 4, 'the interface’s name must have at most 15 bytes'],
  ])('by every operation: %j', async (wrong, code, message) => {
    for (const type of ['a', 'b']) plugin(type);
    for (const operation of ['add', 'check', 'del'] as const) {
      const error = await rejectionOf(() => runtime()[operation](network(), { ...attachment, ...wrong }));
      expect(error.msg).toContain(message);
      expect(error.code).toBe(code);
    }
    expect(
      (await rejectionOf(() => runtime().cachedResult(network(), { ...attachment, ...wrong }))).code,
    ).toBe(code);
    expect(calls()).toEqual([]);
  });

  const wrong: readonly [object, string][] = [
    [{ netns: 'run/netns/a' }, 'the network namespace must be an absolute path'],
    [{ netns: '/a\0' }, 'the network namespace must not have a NUL'],
    [{ args: [['K', 'a;B=1']] }, 'the argument "K=a;B=1" cannot be said in CNI_ARGS'],
    [{ args: [['', 'a']] }, 'the argument "=a" cannot be said'],
    [{ args: [['A=B', 'a']] }, 'cannot be said'],
    [{ args: [['A', '\0']] }, 'cannot be said'],
  ];

  test.each(wrong)('by ADD: %j', async (more, message) => {
    plugin('a');
    const error = await rejectionOf(() => runtime().add(network(), { ...attachment, ...more }));
    expect(error.msg).toContain(message);
    expect(error.code).toBe(4);
    expect(calls()).toEqual([]);
  });

  test('but DEL must finish', async () => {
    for (const type of ['a', 'b']) plugin(type);
    await runtime().del(network(), { ...attachment, netns: 'relative', args: [['K', 'a;b']] });
    expect(calls()).toEqual(['b DEL', 'a DEL']);
  });

  test.each(['bin', '', './bin', '/a:/b', '/a\0'])('a folder of plugins: %j', async (folder) => {
    expect((await rejectionOf(() => runtime({ pluginPath: [folder] }))).msg).toContain(
      'must be an absolute path',
    );
  });
});

describe('the cache', () => {
  test('that cannot be written fails ADD, and DEL still works', async () => {
    for (const type of ['a', 'b']) plugin(type);
    writeFileSync(join(dir, 'cache'), 'a file where the folder should be');
    const error = await rejectionOf(() => runtime().add(network(), attachment));
    expect(error.code).toBe(5);
    expect(error.msg).toContain(`cannot keep the result in ${dir}/cache/results/net-c1-eth0: `);
    await runtime().del(network(), attachment);
    expect(calls()).toEqual(['a ADD', 'b ADD', 'b DEL', 'a DEL']);
  });

  test('that cannot be listed fails GC before anything is removed', async () => {
    for (const type of ['a', 'b']) plugin(type);
    mkdirSync(join(dir, 'cache'));
    writeFileSync(join(dir, 'cache', 'results'), 'a file where the folder should be');
    const error = await rejectionOf(() => runtime().gc(network(), []));
    expect(error.code).toBe(5);
    expect(error.msg).toContain(`${dir}/cache/results: cannot be listed: `);
    expect(calls()).toEqual([]);
  });

  test('that holds another’s entry under this name: CHECK says so, DEL does without it', async () => {
    for (const type of ['a', 'b']) plugin(type);
    const twin = network({ name: 'net-c1' });
    await runtime().add(network(), { ...attachment, containerId: 'c1-x' });
    const error = await rejectionOf(() => runtime().check(twin, { ...attachment, containerId: 'x' }));
    expect(error.msg).toContain('"containerId":"c1-x"');
    await runtime().del(twin, { ...attachment, containerId: 'x' });
    expect(runtime().cachedAttachments()).toHaveLength(1);
  });

  test('gives back everything about an attachment', async () => {
    for (const type of ['a', 'b']) plugin(type, `echo '{"ips":[{"address":"10.0.0.2/24"}]}'`);
    const given = { ...attachment, args: [['A', '1']] as const, capabilityArgs: { mac: 'x' } };
    await runtime().add(network(), given);
    const cached = runtime().cachedAttachment('net', attachment);
    expect(cached).toMatchObject({ network: 'net', ...given });
    expect(cached && parseNetwork(cached.config)).toMatchObject({ name: 'net', cniVersion: '1.1.0' });
    expect(runtime().cachedAttachment('net', { ...attachment, ifname: 'eth1' })).toBeUndefined();
    expect(runtime().cachedAttachments('c1')).toHaveLength(1);
    expect(runtime().cachedAttachments('c2')).toEqual([]);
    const result = runtime().cachedResult(network({ cniVersion: '0.4.0' }), attachment);
    expect(result).toEqual({
      cniVersion: '0.4.0',
      ips: [{ version: '4', address: '10.0.0.2/24' }],
      dns: {},
    });
    expect(decodeResult(result, { version: '0.4.0', subject: 'it' })).toEqual({
      ips: [{ address: '10.0.0.2/24' }],
      dns: {},
    });
  });
});

describe('executing', () => {
  test('a plugin gets the environment given and nothing else of this process', async () => {
    plugin('a', `env >${dir}/env; echo '{}'`);
    plugin('b');
    process.env.FAIRLEAD_TEST_SECRET = '1';
    await runtime({ env: { PATH: process.env.PATH, GIVEN: 'x', CNI_NETNS: 'old', CNI_ARGS: 'old' } }).status(
      network(),
    );
    delete process.env.FAIRLEAD_TEST_SECRET;
    const env = readFileSync(join(dir, 'env'), 'utf8');
    expect(env).toContain('GIVEN=x\n');
    expect(env).toContain('CNI_NETNS=\n');
    expect(env).toContain('CNI_ARGS=\n');
    expect(env).not.toContain('FAIRLEAD_TEST_SECRET');
  });

  test('what plugins write on standard error is passed on', async () => {
    plugin('a', `echo careful >&2; echo '{}'`);
    plugin('b');
    await runtime().add(network(), attachment);
    expect(stderr).toBe('careful\n');
  });

  test('a plugin that hangs is ended by the signal, those after it are not called', async () => {
    plugin('a', 'exec sleep 60');
    plugin('b');
    const start = Date.now();
    const error = await rejectionOf(() =>
      runtime({ signal: AbortSignal.timeout(100) }).add(network(), attachment),
    );
    expect(Date.now() - start).toBeLessThan(10_000);
    expect(error.msg).toMatch(/^plugin `a`: .*\/bin\/a was stopped: .*(timeout|timed out)/);
    expect(calls()).toEqual(['a ADD']);
  });

  test('after the signal nothing is started', async () => {
    for (const type of ['a', 'b']) plugin(type);
    const error = await rejectionOf(() =>
      runtime({ signal: AbortSignal.abort() }).del(network(), attachment),
    );
    expect(error.msg).toContain('was stopped');
    expect(calls()).toEqual([]);
  });

  test('many attachments at once', async () => {
    for (const type of ['a', 'b']) plugin(type);
    const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const one = runtime();
    await Promise.all(ids.map((containerId) => one.add(network(), { ...attachment, containerId })));
    expect(readdirSync(join(dir, 'cache', 'results')).filter((name) => name !== '.writing')).toHaveLength(20);
    await one.gc(network(), [{ containerId: 'c3', ifname: 'eth0' }]);
    expect(one.cachedAttachments().map(({ containerId }) => containerId)).toEqual(['c3']);
  });
});
