import { describe, expect, test } from 'bun:test';
import { runPlugin } from './harness.ts';
import {
  type AddRequest,
  type CniCommand,
  CniError,
  type CniVersion,
  cniVersions,
  currentVersion,
  definePlugin,
  type Host,
  integer,
  isAtLeast,
  object,
  type Plugin,
  type PluginDefinition,
  type Result,
  result,
} from './index.ts';
import { cniCommands, introducedIn } from './version.ts';

type Environment = Record<string, string | undefined>;

const environment: Environment = {
  CNI_CONTAINERID: 'container-1',
  CNI_NETNS: '/run/netns/blue',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};

const prevResult = {
  interfaces: [{ name: 'eth0', sandbox: '/run/netns/blue' }],
  ips: [{ address: '10.0.0.2/24' }],
};

function configuration(more: object = {}): Record<string, unknown> {
  return { cniVersion: '1.1.0', name: 'net', type: 'tiny', 'cni.dev/valid-attachments': [], ...more };
}

const config = object({ vlan: integer({ min: 0, max: 4094 }).default(0) });

function tiny(verbs: Partial<PluginDefinition<{ vlan: number }>> = {}): Plugin {
  return definePlugin({
    name: 'tiny',
    config,
    add: () => prevResult,
    del: () => {},
    check: () => {},
    gc: () => {},
    status: () => {},
    ...verbs,
  });
}

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  plugin: Plugin,
  env: Environment,
  stdin: unknown,
  host: Partial<Host> = {},
): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runPlugin(plugin, {
    env: { ...environment, ...env },
    stdinIsTerminal: () => false,
    readStdin: () => (typeof stdin === 'string' ? stdin : JSON.stringify(stdin)),
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: (text) => {
      stderr += text;
    },
    ...host,
  });
  return { exitCode, stdout, stderr };
}

/** Runs and expects one error object with exit code 1. */
async function failure(plugin: Plugin, env: Environment, stdin: unknown) {
  const { exitCode, stdout } = await run(plugin, env, stdin);
  expect(exitCode).toBe(1);
  return JSON.parse(stdout) as { cniVersion: string; code: number; msg: string; details?: string };
}

describe('every operation in every version', () => {
  const combinations = cniCommands
    .filter((command) => command !== 'VERSION')
    .flatMap((command) => cniVersions.map((version): [CniCommand, CniVersion] => [command, version]));

  test.each(combinations)('%s in %s', async (command, cniVersion) => {
    const calls: string[] = [];
    const record = (request: { command: string; cniVersion: string }) => {
      calls.push(`${request.command} ${request.cniVersion}`);
    };
    const add = (request: AddRequest) => {
      record(request);
      return prevResult;
    };
    const plugin = tiny({ add, del: record, check: record, gc: record, status: record });
    const answer = await run(plugin, { CNI_COMMAND: command }, configuration({ cniVersion, prevResult }));
    if (!isAtLeast(cniVersion, introducedIn(command))) {
      expect(answer.exitCode).toBe(1);
      expect(JSON.parse(answer.stdout)).toMatchObject({ cniVersion, code: 1 });
      expect(answer.stdout).toContain(
        `${command} needs a configuration of CNI version ${introducedIn(command)}`,
      );
      expect(calls).toEqual([]);
      return;
    }
    expect(answer.exitCode).toBe(0);
    expect(calls).toEqual([`${command} ${cniVersion}`]);
    if (command === 'ADD') expect(JSON.parse(answer.stdout)).toMatchObject({ cniVersion });
    else expect(answer.stdout).toBe('');
  });

  test.each([...cniVersions])('VERSION repeats %s', async (cniVersion) => {
    const answer = await run(tiny(), { CNI_COMMAND: 'VERSION', CNI_PATH: undefined }, { cniVersion });
    expect(answer.exitCode).toBe(0);
    expect(JSON.parse(answer.stdout)).toEqual({ cniVersion, supportedVersions: [...cniVersions] });
  });
});

test('VERSION without input answers in the newest version', async () => {
  const { stdout } = await run(tiny({ versions: ['1.0.0', '0.4.0'] }), { CNI_COMMAND: 'VERSION' }, '');
  expect(JSON.parse(stdout)).toEqual({ cniVersion: currentVersion, supportedVersions: ['0.4.0', '1.0.0'] });
});

test('a configuration without version has 0.1.0, and gets a result of 0.1.0', async () => {
  const { stdout } = await run(tiny(), { CNI_COMMAND: 'ADD' }, configuration({ cniVersion: undefined }));
  expect(JSON.parse(stdout)).toEqual({ cniVersion: '0.1.0', ip4: { ip: '10.0.0.2/24' }, dns: {} });
});

describe('environment', () => {
  test.each([
    ['ADD', ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME']],
    ['CHECK', ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME']],
    ['DEL', ['CNI_CONTAINERID', 'CNI_IFNAME']],
    ['GC', ['CNI_PATH']],
  ])('%s names all of %j that are missing', async (command, needed) => {
    const nothing = Object.fromEntries(Object.keys(environment).map((name) => [name, undefined]));
    const error = await failure(tiny(), { ...nothing, CNI_COMMAND: command }, configuration({ prevResult }));
    expect(error.code).toBe(4);
    expect(error.msg).toBe(`environment variables: ${command} needs ${needed.join(', ')}, not set`);
  });

  test('STATUS needs none', async () => {
    const nothing = Object.fromEntries(Object.keys(environment).map((name) => [name, undefined]));
    const { exitCode } = await run(tiny(), { ...nothing, CNI_COMMAND: 'STATUS' }, configuration());
    expect(exitCode).toBe(0);
  });

  test.each([
    [{ CNI_CONTAINERID: '../x' }, 'CNI_CONTAINERID must start with'],
    [{ CNI_CONTAINERID: 'a\0b' }, 'CNI_CONTAINERID must start with'],
    [{ CNI_CONTAINERID: 'x'.repeat(256) }, 'CNI_CONTAINERID must have at most 255'],
    [{ CNI_IFNAME: 'a'.repeat(16) }, 'CNI_IFNAME must have at most 15 bytes, got 16'],
    [{ CNI_IFNAME: 'a/b' }, 'CNI_IFNAME must not have'],
    [{ CNI_IFNAME: '..' }, 'CNI_IFNAME must not be'],
    [{ CNI_NETNS: 'netns/blue' }, 'CNI_NETNS must be an absolute path'],
    [{ CNI_ARGS: 'IP' }, 'CNI_ARGS must be KEY=VALUE pairs'],
    [{ CNI_ARGS: '=x' }, 'CNI_ARGS must be KEY=VALUE pairs'],
    [{ CNI_COMMAND: 'add' }, 'CNI_COMMAND is "add": it must be one of ADD,'],
    [{ CNI_COMMAND: undefined }, 'CNI_COMMAND is not set'],
  ])('%j', async (env: Environment, message) => {
    const error = await failure(tiny(), { CNI_COMMAND: 'ADD', ...env }, configuration());
    expect(error).toMatchObject({ code: 4, cniVersion: currentVersion });
    expect(error.msg).toContain(message);
  });

  test('several wrong variables are all named', async () => {
    const env = { CNI_COMMAND: 'ADD', CNI_IFNAME: '', CNI_NETNS: 'x', CNI_CONTAINERID: '-' };
    const { msg } = await failure(tiny(), env, configuration());
    for (const name of ['CNI_IFNAME', 'CNI_NETNS', 'CNI_CONTAINERID']) expect(msg).toContain(name);
  });

  test('the request has what the environment says', async () => {
    let seen: AddRequest | undefined;
    const add = (request: AddRequest) => {
      seen = request;
      return {};
    };
    const env = { CNI_COMMAND: 'ADD', CNI_ARGS: 'IgnoreUnknown=1;K8S=a=b;', CNI_PATH: '/a:relative:/b' };
    await run(tiny({ add }), env, configuration({ vlan: 7 }));
    expect(seen?.attachment).toEqual({
      network: 'net',
      containerId: 'container-1',
      ifname: 'eth0',
      netns: '/run/netns/blue',
    });
    expect([...(seen?.args ?? [])]).toEqual([
      ['IgnoreUnknown', '1'],
      ['K8S', 'a=b'],
    ]);
    expect(seen?.pluginPath).toEqual(['/a', '/b']);
    expect(seen?.config).toEqual({ vlan: 7 });
    expect(seen?.rawConfig).toEqual(configuration({ vlan: 7 }));
  });

  test.each([
    [{ CNI_NETNS: 'relative' }, {}],
    [{ CNI_NETNS: '/a\0' }, {}],
    [{ CNI_ARGS: 'nonsense;K=v' }, {}],
    [{}, { prevResult: 7 }],
    [{}, { prevResult: { cniVersion: '9.0.0' } }],
    [{}, { prevResult: { cniVersion: '1.0.0', ips: [{ address: 'x' }] } }],
  ])('DEL finishes with what ADD refuses: %j %j', async (env: Environment, more) => {
    const seen: unknown[] = [];
    const plugin = tiny({
      del: ({ attachment, previousResult }) => {
        seen.push(attachment.netns, previousResult);
      },
    });
    const stdin = configuration(more);
    expect((await run(plugin, { ...env, CNI_COMMAND: 'ADD' }, stdin)).exitCode).toBe(1);
    expect((await run(plugin, { ...env, CNI_COMMAND: 'DEL' }, stdin)).exitCode).toBe(0);
    expect(seen).toEqual([env.CNI_NETNS === undefined ? environment.CNI_NETNS : undefined, undefined]);
  });

  test('GC and STATUS do not look at a result', async () => {
    for (const CNI_COMMAND of ['GC', 'STATUS']) {
      expect((await run(tiny(), { CNI_COMMAND }, configuration({ prevResult: 7 }))).exitCode).toBe(0);
    }
  });

  test('DEL without namespace is right', async () => {
    let netns: string | undefined = 'not called';
    const plugin = tiny({
      del: ({ attachment }) => {
        netns = attachment.netns;
      },
    });
    expect((await run(plugin, { CNI_COMMAND: 'DEL', CNI_NETNS: '' }, configuration())).exitCode).toBe(0);
    expect(netns).toBeUndefined();
  });
});

describe('configuration', () => {
  test.each<[string, number, string]>([
    ['', 6, 'standard input is empty'],
    ['{', 6, 'is no JSON'],
    ['[]', 6, 'no object'],
    ['null', 6, 'no object'],
    ['['.repeat(100_000), 6, 'is no JSON'],
    ['{"cniVersion":1}', 6, '`cniVersion` must be a text'],
    ['{"cniVersion":"9.9.9"}', 1, 'has CNI version "9.9.9", which plugin `tiny` does not support'],
    ['{"type":"t"}', 7, '`name` of plugin `tiny` is missing'],
    ['{"name":"","type":"t"}', 7, '`name` of plugin `tiny` must be'],
    ['{"name":"../x","type":"t"}', 7, '`name` of plugin `tiny` must start with'],
    ['{"name":"a\\u0000","type":"t"}', 7, '`name` of plugin `tiny` must start with'],
    ['{"name":"n"}', 7, '`type` of plugin `tiny` is missing'],
    ['{"name":"n","type":"t","vlan":5000}', 7, '`vlan` of plugin `tiny` must be 0–4094, got 5000'],
    ['{"name":"n","type":"t","ipam":{"type":7}}', 7, '`ipam.type` of plugin `tiny` must be a text'],
    ['{"name":"n","type":"t","prevResult":7}', 6, '`prevResult` of plugin `tiny` is no JSON object'],
    [
      '{"name":"n","type":"t","prevResult":{"cniVersion":"7"}}',
      6,
      '`prevResult` of plugin `tiny` has the CNI',
    ],
  ])('%s', async (stdin, code, message) => {
    const error = await failure(tiny(), { CNI_COMMAND: 'ADD' }, stdin);
    expect(error.code).toBe(code);
    expect(error.msg).toContain(message);
  });

  test('every problem is in the one error', async () => {
    const { msg, details } = await failure(tiny(), { CNI_COMMAND: 'ADD' }, { name: '/', vlan: -1 });
    expect(msg).toContain('`name`');
    expect(details).toContain('`type`');
    expect(details).toContain('`vlan`');
  });

  test('a plugin that does not support the version says so', async () => {
    const plugin = tiny({ versions: ['1.0.0'] });
    const error = await failure(plugin, { CNI_COMMAND: 'ADD' }, configuration());
    expect(error).toMatchObject({ code: 1, details: 'supported are 1.0.0' });
  });

  test('CHECK without prevResult', async () => {
    const error = await failure(tiny(), { CNI_COMMAND: 'CHECK' }, configuration());
    expect(error).toMatchObject({ code: 7 });
    expect(error.msg).toContain('`prevResult` of plugin `tiny` is missing');
  });

  test('the previous result is decoded in its own version, else the configuration’s', async () => {
    const seen: unknown[] = [];
    const add = (request: AddRequest) => {
      seen.push(request.previousResult?.ips);
      return {};
    };
    const old = { ip4: { ip: '10.0.0.2/24' } };
    const env = { CNI_COMMAND: 'ADD' };
    await run(tiny({ add }), env, configuration({ prevResult: { cniVersion: '0.2.0', ...old } }));
    await run(tiny({ add }), env, configuration({ cniVersion: '0.4.0', prevResult }));
    await run(tiny({ add }), env, configuration({ prevResult: null }));
    expect(seen).toEqual([[{ address: '10.0.0.2/24' }], prevResult.ips, undefined]);
  });
});

describe('GC', () => {
  const gc = async (attachments: unknown) => {
    let seen: unknown;
    const plugin = tiny({
      gc: ({ validAttachments }) => {
        seen = validAttachments;
      },
    });
    const stdin = configuration({ 'cni.dev/valid-attachments': attachments });
    const answer = await run(plugin, { CNI_COMMAND: 'GC' }, stdin);
    return { seen, ...answer };
  };

  test('gets the valid attachments', async () => {
    const { seen } = await gc([{ containerID: 'a', ifname: 'eth0' }]);
    expect(seen).toEqual([{ containerId: 'a', ifname: 'eth0' }]);
    expect((await gc(null)).seen).toEqual([]);
    expect((await gc([])).seen).toEqual([]);
  });

  test('takes the name that the specification had for them at first', async () => {
    const seen: unknown[] = [];
    const plugin = tiny({ gc: ({ validAttachments }) => void seen.push(validAttachments) });
    const stdin = { ...configuration(), 'cni.dev/attachments': [{ containerID: 'a', ifname: 'eth0' }] };
    await run(plugin, { CNI_COMMAND: 'GC' }, { ...stdin, 'cni.dev/valid-attachments': undefined });
    await run(plugin, { CNI_COMMAND: 'GC' }, stdin);
    expect(seen).toEqual([[{ containerId: 'a', ifname: 'eth0' }], []]);
  });

  test.each([[undefined], [7], [[{ containerID: 'a' }]], [[{ containerID: 1, ifname: 'x' }]]])(
    'removes nothing when the list is %j',
    async (attachments) => {
      const { seen, exitCode, stdout } = await gc(attachments);
      expect(seen).toBeUndefined();
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ code: 7 });
    },
  );

  test('a plugin without gc and status has nothing to do', async () => {
    const plugin = definePlugin({ name: 'small', add: () => ({}), del: () => {}, check: () => {} });
    expect((await run(plugin, { CNI_COMMAND: 'GC' }, configuration())).exitCode).toBe(0);
    expect((await run(plugin, { CNI_COMMAND: 'STATUS' }, configuration())).exitCode).toBe(0);
  });
});

describe('a verb that fails', () => {
  const add = (body: (request: AddRequest) => Result | Promise<Result>) =>
    failure(tiny({ add: body }), { CNI_COMMAND: 'ADD' }, configuration());

  test.each<[string, () => never | Promise<never>, object]>([
    [
      'throws',
      () => {
        throw new Error('no luck');
      },
      {
        code: 999,
        msg: 'no luck',
        details: expect.stringMatching(/^thrown at harness\.test\.m?[jt]s:\d+:\d+$/),
      },
    ],
    [
      'rejects',
      () => Promise.reject(new Error('no luck')),
      {
        code: 999,
        msg: 'no luck',
        details: expect.stringMatching(/^thrown at harness\.test\.m?[jt]s:\d+:\d+$/),
      },
    ],
    [
      'throws a text',
      () => {
        throw 'x';
      },
      { code: 999, msg: 'x' },
    ],
    [
      'throws its own code',
      () => {
        throw new CniError(120, 'a', 'b');
      },
      { code: 120, msg: 'a', details: 'b' },
    ],
  ])('%s', async (_name, body, expected) => {
    expect(await add(body)).toEqual({ cniVersion: '1.1.0', ...expected } as never);
  });

  test('undoes its steps in reverse and reports what it could not undo', async () => {
    const undone: string[] = [];
    const error = await add(async (request) => {
      for (const step of ['one', 'two', 'three']) {
        request.onFailure(step, () => {
          undone.push(step);
          if (step === 'two') throw new Error('stuck');
        });
      }
      await Promise.resolve();
      throw new CniError(11, 'busy', 'later');
    });
    expect(undone).toEqual(['three', 'two', 'one']);
    expect(error).toEqual({
      cniVersion: '1.1.0',
      code: 11,
      msg: 'busy',
      details: 'later; could not undo two: stuck',
    });
  });

  test('a result that the version cannot say undoes too', async () => {
    let undone = false;
    const plugin = tiny({
      add: (request) => {
        request.onFailure('all', () => {
          undone = true;
        });
        return {};
      },
    });
    const error = await failure(plugin, { CNI_COMMAND: 'ADD' }, configuration({ cniVersion: '0.2.0' }));
    expect(error).toMatchObject({ code: 999, cniVersion: '0.2.0' });
    expect(error.msg).toContain('without addresses cannot be given in CNI version 0.2.0');
    expect(undone).toBe(true);
  });

  test.each<[unknown, string]>([
    [undefined, 'the ADD of plugin `tiny` returned no result'],
    [
      { ips: [{ address: '10.0.0.1/8', interface: 0 }] },
      '`ips[0].interface` is 0, but the result has 0 interfaces',
    ],
    [{ ips: [{ address: '10.0.0.1' }] }, '`ips[0].address` must be'],
    [7, 'must be an object, got 7'],
  ])('a wrong result %j is said to be the plugin’s', async (wrong, message) => {
    const error = await add(() => wrong as Result);
    expect(error.code).toBe(999);
    expect(error.msg).toContain(message);
  });

  test('what was wrong in the previous result already is not this plugin’s mistake', async () => {
    const ips = [{ address: '10.0.0.1/8', interface: 3 }];
    const plugin = tiny({ add: ({ previousResult }) => result(previousResult) });
    const stdin = configuration({ prevResult: { cniVersion: '1.0.0', ips } });
    const { exitCode, stdout } = await run(plugin, { CNI_COMMAND: 'ADD' }, stdin);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).ips).toEqual(ips);
  });

  test('success undoes nothing', async () => {
    const plugin = tiny({
      add: (request) => {
        request.onFailure('x', () => {
          throw new Error('undone');
        });
        return result();
      },
    });
    const answer = await run(plugin, { CNI_COMMAND: 'ADD' }, configuration());
    expect(answer).toEqual({ exitCode: 0, stdout: '{\n    "cniVersion": "1.1.0"\n}\n', stderr: '' });
  });

  test('STATUS: an error without a code of its own is 50', async () => {
    const status = (thrown: unknown) =>
      failure(tiny({ status: () => Promise.reject(thrown) }), { CNI_COMMAND: 'STATUS' }, configuration());
    expect(await status(new Error('daemon is down'))).toMatchObject({ code: 50, msg: 'daemon is down' });
    expect(await status(new CniError('limitedConnectivity', 'x'))).toMatchObject({ code: 51 });
  });
});

describe('the process', () => {
  test('a person at a terminal is told what this is', async () => {
    const host = { stdinIsTerminal: () => true };
    const answer = await run(tiny({ about: 'does little' }), { CNI_COMMAND: undefined }, '', host);
    expect(answer.exitCode).toBe(0);
    expect(answer.stdout).toBe('');
    expect(answer.stderr).toContain('CNI plugin tiny: does little\nCNI protocol versions supported: 0.1.0, ');
  });

  test('standard input that cannot be read is code 5, too large 6', async () => {
    const readStdin = () => {
      throw new CniError('ioFailure', 'cannot read');
    };
    const answer = await run(tiny(), { CNI_COMMAND: 'ADD' }, '', { readStdin });
    expect(JSON.parse(answer.stdout)).toMatchObject({ code: 5 });
  });

  test('an answer that cannot be written goes to standard error', async () => {
    const writeStdout = () => {
      throw new Error('ENOSPC');
    };
    const answer = await run(tiny(), { CNI_COMMAND: 'ADD' }, configuration(), { writeStdout });
    expect(answer).toEqual({ exitCode: 1, stdout: '', stderr: 'tiny: ENOSPC\n' });
  });
});

test.each<[string, object, string]>([
  ['a name that is a path', { name: '../x' }, 'a plugin’s name'],
  ['no version', { versions: [] }, 'supports no CNI version'],
])('definePlugin refuses %s', (_name, wrong, message) => {
  expect(() => tiny(wrong)).toThrow(message.replace('’', "'"));
});
