import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPlugin } from './harness.ts';
import {
  type AddRequest,
  CniError,
  type DelegateOptions,
  definePlugin,
  object,
  type Plugin,
  type PluginDefinition,
  type Resolve,
  result,
  string,
} from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'fairlead-delegate-'));
afterAll(() => rmSync(root, { recursive: true }));

let bin = '';
let count = 0;
beforeEach(() => {
  bin = join(root, `bin${count++}`);
  mkdirSync(bin);
});

/** An executable IPAM plugin: notes each command with its input and environment, then runs the script's body. */
function script(body: string, name = 'ipam'): void {
  const path = join(bin, name);
  const note = `echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME $(cat)" >> ${bin}/log`;
  writeFileSync(path, `#!/bin/sh\n${note}\n${body}\n`);
  chmodSync(path, 0o755);
}

function log(): string[] {
  try {
    return readFileSync(join(bin, 'log'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function commands(): string[] {
  return log().map((line) => line.split(' ')[0] ?? '');
}

type Verbs = Partial<PluginDefinition<unknown>>;

/** A plugin that does what its IPAM plugin says. */
function main(verbs: Verbs = {}): Plugin {
  return definePlugin({
    name: 'main',
    add: (request) => request.ipam.add(),
    del: (request) => request.ipam.del(),
    check: (request) => request.ipam.check(),
    gc: (request) => request.ipam.gc(),
    status: (request) => request.ipam.status(),
    ...verbs,
  });
}

interface RunOptions {
  readonly version?: string;
  readonly type?: string | undefined;
  readonly command?: string;
  readonly path?: string;
  readonly resolve?: Resolve;
  readonly more?: object;
}

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Record<string, unknown>;
}

async function run(plugin: Plugin, options: RunOptions = {}): Promise<Answer> {
  const { version = '1.0.0', command = 'ADD', path = bin, resolve, more } = options;
  const type = 'type' in options ? options.type : 'ipam';
  let stdout = '';
  let stderr = '';
  const exitCode = await runPlugin(plugin, {
    env: {
      PATH: process.env.PATH,
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/run/netns/x',
      CNI_IFNAME: 'eth0',
      CNI_PATH: path,
    },
    stdinIsTerminal: () => false,
    readStdin: () =>
      JSON.stringify({
        cniVersion: version,
        name: 'net',
        type: 'main',
        ...(type && { ipam: { type } }),
        ...more,
      }),
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: (text) => {
      stderr += text;
    },
    ...(resolve && { resolve }),
  });
  return { exitCode, stdout, stderr, json: stdout === '' ? {} : JSON.parse(stdout) };
}

const prints = (json: object) => `printf '%s' '${JSON.stringify(json)}'`;
const address = { cniVersion: '1.0.0', ips: [{ address: '10.0.0.2/24', gateway: '10.0.0.1' }] };

describe('an IPAM plugin that is executed', () => {
  test('gets environment and configuration as they came; its result is converted', async () => {
    script(prints(address));
    const { json, exitCode } = await run(main(), { version: '0.4.0' });
    expect(exitCode).toBe(0);
    expect(json).toEqual({
      cniVersion: '0.4.0',
      ips: [{ version: '4', address: '10.0.0.2/24', gateway: '10.0.0.1' }],
      dns: {},
    });
    expect(log()).toEqual([
      'ADD c1 eth0 {"cniVersion":"0.4.0","name":"net","type":"main","ipam":{"type":"ipam"}}',
    ]);
  });

  test.each(['DEL', 'CHECK', 'GC', 'STATUS'])('%s is passed on', async (command) => {
    script('true');
    const more = { prevResult: {}, 'cni.dev/valid-attachments': [] };
    const answer = await run(main(), { command, version: '1.1.0', more });
    expect(answer).toMatchObject({ exitCode: 0, stdout: '' });
    expect(commands()).toEqual([command]);
  });

  test('may be written in any language', async () => {
    const path = join(bin, 'ipam');
    const body = `let t='';process.stdin.on('data',d=>t+=d).on('end',()=>console.log(JSON.stringify({ips:[{address:JSON.parse(t).want}]})))`;
    writeFileSync(path, `#!${process.execPath}\n${body}\n`);
    chmodSync(path, 0o755);
    const { json } = await run(main(), { more: { want: '10.9.9.9/32' } });
    expect(json).toEqual({ cniVersion: '1.0.0', ips: [{ address: '10.9.9.9/32' }] });
  });

  test('its standard error is passed on', async () => {
    script(`echo careful >&2; ${prints(address)}`);
    expect((await run(main())).stderr).toBe('careful\n');
  });

  test('the first directory that has the executable is taken; directories with its name are not executables', async () => {
    script(prints(address));
    const other = join(bin, 'other');
    mkdirSync(join(other, 'ipam'), { recursive: true });
    expect((await run(main(), { path: `/nonexistent:${other}:${bin}/` })).exitCode).toBe(0);
  });

  test('need not read its input', async () => {
    const path = join(bin, 'ipam');
    writeFileSync(path, `#!/bin/sh\n${prints(address)}\n`);
    chmodSync(path, 0o755);
    expect((await run(main(), { more: { padding: 'x'.repeat(1_000_000) } })).exitCode).toBe(0);
  });

  test('another plugin gets the configuration and the variables it is given', async () => {
    script(prints(address), 'other');
    const options: DelegateOptions = {
      config: { cniVersion: '1.0.0', name: 'inner', type: 'other' },
      env: { CNI_IFNAME: 'net1', CNI_COMMAND: 'DEL' },
    };
    await run(main({ add: (request) => request.delegate('other', options).add() }));
    expect(log()).toEqual(['ADD c1 net1 {"cniVersion":"1.0.0","name":"inner","type":"other"}']);
  });
});

describe('an IPAM plugin that fails', () => {
  const error = { cniVersion: '1.0.0', code: 11, msg: 'no address left', details: 'in 10.0.0.0/24' };

  test.each([
    [
      'an error',
      `${prints(error)}; exit 1`,
      { code: 11, msg: 'plugin `ipam`: no address left', details: error.details },
    ],
    ['no output', 'exit 3', { code: 999, msg: 'ipam failed with exit code 3 without saying why' }],
    [
      'no JSON',
      'echo oops; echo why >&2; exit 1',
      { msg: 'and printed no CNI error object', details: 'oops; why' },
    ],
    ['JSON, but no error', 'echo {}; exit 1', { msg: 'and printed no CNI error object' }],
    ['a signal', 'kill -SEGV $$', { msg: 'was ended by SIGSEGV without saying why' }],
    [
      'success without result',
      'true',
      { code: 6, msg: 'plugin `ipam`: it succeeded, but printed no result' },
    ],
    ['a result that is no JSON', 'echo hello', { code: 6, msg: 'printed a result that is no JSON' }],
    [
      'a wrong result',
      prints({ ips: [{ address: 'x' }] }),
      { code: 6, msg: 'the result of plugin `ipam`: `ips[0].address`' },
    ],
    ['endless output', 'yes', { code: 6, msg: 'printed more than' }],
  ])('%s', async (_name, body, expected) => {
    script(`[ $CNI_COMMAND = DEL ] && exit 0\n${body}`);
    const { json, exitCode } = await run(main());
    expect(exitCode).toBe(1);
    expect({ ...json, msg: undefined }).toMatchObject({ ...expected, msg: undefined });
    expect(json.msg).toContain(expected.msg);
  });

  test('one that is not executable', async () => {
    writeFileSync(join(bin, 'ipam'), 'x');
    chmodSync(join(bin, 'ipam'), 0o644);
    const { json } = await run(main());
    expect(json.code).toBe(999);
    expect(json.msg).toMatch(/plugin `ipam`: cannot execute .*\/ipam: .*EACCES/);
  });

  test.each([
    ['missing', { type: 'none' }, 'cannot find an executable for plugin type `none`: not in /'],
    ['no directories', { path: '' }, 'CNI_PATH names no directory'],
    ['a path', { type: '../sh' }, 'the plugin type "../sh" must be the name of a file'],
    ['not configured', { type: undefined }, '`ipam.type` is missing'],
  ])('one that is %s', async (_name, options: RunOptions, message) => {
    const { json, exitCode } = await run(main(), options);
    expect(exitCode).toBe(1);
    expect(json.msg).toContain(message);
  });
});

describe('DEL of a delegated ADD', () => {
  test('follows when the caller fails later', async () => {
    script(`[ $CNI_COMMAND = ADD ] && ${prints(address)}; true`);
    const undone: string[] = [];
    const { json } = await run(
      main({
        add: async (request) => {
          request.onFailure('before', () => {
            undone.push(`before, after ${commands().at(-1)}`);
          });
          await request.ipam.add();
          throw new Error('no room');
        },
      }),
    );
    expect(json).toMatchObject({ cniVersion: '1.0.0', code: 999, msg: 'no room' });
    expect(commands()).toEqual(['ADD', 'DEL']);
    expect(undone).toEqual(['before, after DEL']);
  });

  test('follows when it ended without an answer', async () => {
    script('[ $CNI_COMMAND = ADD ] && kill -KILL $$; true');
    await run(main());
    expect(commands()).toEqual(['ADD', 'DEL']);
  });

  test('does not follow its own error: that could free what an earlier ADD holds', async () => {
    script(`${prints({ code: 7, msg: 'twice' })}; exit 1`);
    await run(main());
    expect(commands()).toEqual(['ADD']);
  });

  test('that fails is told in the details', async () => {
    script(
      `[ $CNI_COMMAND = ADD ] && ${prints(address)} && exit 0; ${prints({ code: 5, msg: 'disk' })}; exit 1`,
    );
    const { json } = await run(
      main({ add: (request: AddRequest) => request.ipam.add().then(() => Promise.reject('x')) }),
    );
    expect(json.details).toBe('could not undo the ADD of plugin `ipam`: disk');
  });
});

describe('a plugin that is in this program', () => {
  const seen: string[] = [];
  const inner = definePlugin({
    name: 'ipam',
    config: object({ want: string({ minLength: 1 }).default('10.0.0.2/24') }),
    add: ({ config, attachment, onFailure }) => {
      seen.push(`ADD ${attachment.containerId}`);
      onFailure('inner', () => {
        seen.push('undone');
      });
      if (config.want === 'none') throw new CniError(11, 'no address left', 'in 10.0.0.0/24');
      const out = result();
      out.addIp({ address: config.want });
      out.addIp({ address: '10.7.7.7/24' });
      return out;
    },
    del: () => {
      seen.push('DEL');
    },
    check: () => {
      seen.push('CHECK');
    },
  });
  const resolve: Resolve = (type, path) => (path === `${bin}/${type}` ? () => inner : undefined);
  beforeEach(() => {
    seen.length = 0;
    script('echo executed >&2; exit 9');
  });

  test('is called without a process, and answers as if there were one', async () => {
    const answer = await run(main(), { resolve });
    expect(answer).toMatchObject({ exitCode: 0, stderr: '' });
    expect(answer.json).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: '10.0.0.2/24' }, { address: '10.7.7.7/24' }],
    });
    expect(seen).toEqual(['ADD c1']);
    expect(log()).toEqual([]);
  });

  test('its result loses what the version cannot say', async () => {
    const { json } = await run(main(), { resolve, version: '0.2.0' });
    expect(json).toEqual({ cniVersion: '0.2.0', ip4: { ip: '10.0.0.2/24' }, dns: {} });
  });

  test('its errors and its undoing are its own', async () => {
    const { json } = await run(main(), { resolve, more: { want: 'none' } });
    expect(json).toEqual({
      cniVersion: '1.0.0',
      code: 11,
      msg: 'plugin `ipam`: no address left',
      details: 'in 10.0.0.0/24',
    });
    expect(seen).toEqual(['ADD c1', 'undone']);
  });

  test('its configuration is validated', async () => {
    const { json } = await run(main(), { resolve, more: { want: '' } });
    expect(json).toMatchObject({ code: 7 });
    expect(json.msg).toBe('`want` of plugin `ipam` must be a text that is not empty, got ""');
  });

  test('is deleted when the caller fails later', async () => {
    const add = async (request: AddRequest) => {
      await request.ipam.add();
      throw new Error('x');
    };
    await run(main({ add }), { resolve });
    expect(seen).toEqual(['ADD c1', 'DEL']);
  });

  test('must still be on CNI_PATH', async () => {
    rmSync(join(bin, 'ipam'));
    expect((await run(main(), { resolve })).json.msg).toContain('cannot find an executable');
  });
});
