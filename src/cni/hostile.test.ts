/** Input made to break a plugin: always correct work or one clear error object, never a crash or a stack trace. */
import { describe, expect, test } from 'bun:test';
import { runPlugin } from './harness.ts';
import { array, definePlugin, integer, object, record, string, unknown } from './index.ts';

const plugin = definePlugin({
  name: 'tiny',
  config: object({
    vlan: integer({ min: 0, max: 4094 }).default(0),
    anything: unknown().optional(),
    list: array(object({ a: string() })).default([]),
    map: record(string()).default({}),
  }),
  // Everything that was read comes back, so that what is wrong in it would be seen.
  add: ({ previousResult, config }) => ({
    ips: [{ address: '10.0.0.1/8' }],
    dns: { search: Object.entries(config.map).map(([key, value]) => `${key}=${value}`) },
    ...previousResult,
  }),
  del: () => {},
  check: () => {},
});

interface Answer {
  readonly exitCode: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Runs ADD, and holds the answer to what every answer must be. */
async function add(stdin: string, env: Record<string, string> = {}): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runPlugin(plugin, {
    env: {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c',
      CNI_NETNS: '/a',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/x',
      ...env,
    },
    stdinIsTerminal: () => false,
    readStdin: () => stdin,
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: (text) => {
      stderr += text;
    },
  });
  expect(stderr).toBe('');
  const json = JSON.parse(stdout);
  if (exitCode !== 0) expect(exitCode).toBe(1);
  if (exitCode === 1) {
    expect(typeof json.code).toBe('number');
    expect(json.code).not.toBe(999);
    expect(json.msg.length).toBeGreaterThan(10);
    expect(stdout.length).toBeLessThan(20_000);
    expect(stdout).not.toMatch(/\.[mt]?[jt]s:\d+|\bat (async )?[\w.]+ \(/);
  }
  return { exitCode, json };
}

const keys = '"cniVersion":"1.1.0","name":"n","type":"t"';
const nested = (open: string, close: string) => `${open.repeat(100_000)}1${close.repeat(100_000)}`;

describe('configurations that are wrong', () => {
  test.each<[string, string, number, string]>([
    ['NUL after the object', `{${keys}}\0`, 6, 'line 1, column'],
    ['a byte order mark', `\ufeff{${keys}}`, 6, 'line 1, column 1: here should be a value'],
    ['control characters in a text', `{${keys},"x":"a\u0007b"}`, 6, 'control characters must be escaped'],
    ['two objects', `{${keys}}{${keys}}`, 6, 'here should be the end of the text'],
    ['only nesting', '['.repeat(2_000_000), 6, 'is no JSON'],
    ['a version of megabytes', `{"cniVersion":"${'1'.repeat(3e6)}"}`, 1, 'has CNI version "1111'],
    ['a version that is a list of megabytes', `{"cniVersion":[${'1,'.repeat(1e6)}1]}`, 6, 'got a list'],
    ['a million mistakes', `{${keys},"list":[${'{},'.repeat(1e6)}{}]}`, 7, '`list[0].a` of plugin `tiny`'],
    [
      'a million in prevResult',
      `{${keys},"prevResult":{"ips":[${'{},'.repeat(1e6)}{}]}}`,
      6,
      '`ips[0].address`',
    ],
    ['a key of megabytes', `{${keys},"map":{"${'k'.repeat(3e6)}":1}}`, 7, '`map.kkkk'],
    ['a number beyond all', `{${keys},"vlan":1e400}`, 7, 'must be 0–4094, got Infinity'],
    [
      'half a surrogate pair as name',
      '{"cniVersion":"1.1.0","name":"\\ud800","type":"t"}',
      7,
      '`name` of plugin',
    ],
    ['what is no UTF-8 as name', `{"name":"\ufffd","type":"t"}`, 7, '`name` of plugin'],
    ['a key given twice: the last counts', `{${keys},"name":"/"}`, 7, '`name` of plugin'],
    ['an object for a text', `{"cniVersion":"1.1.0","name":{"toString":1},"type":"t"}`, 7, 'got an object'],
  ])('%s', async (_what, stdin, code, message) => {
    const { json } = await add(stdin);
    expect(json.msg).toContain(message);
    expect(json.code).toBe(code);
  });
});

describe('configurations that are odd and right', () => {
  test.each<[string, string]>([
    ['deep lists', `{${keys},"anything":${nested('[', ']')}}`],
    ['deep objects', `{${keys},"anything":${nested('{"a":', '}')}}`],
    ['deep objects in a previous result', `{${keys},"prevResult":{"x":${nested('{"a":', '}')}}}`],
    ['a key given twice, in other letters the second time', `{${keys},"NAME":"/"}`],
    ['half a surrogate pair', `{${keys},"map":{"\\ud800":"\\udfff"}}`],
    ['space of megabytes', `${' '.repeat(3e6)}{${keys}}\n\n`],
    ['minus zero', `{${keys},"vlan":-0}`],
  ])('%s', async (_what, stdin) => {
    expect((await add(stdin)).exitCode).toBe(0);
  });

  test('keys of every object’s prototype are keys like any other', async () => {
    const hostile = '"__proto__":"x","constructor":"y","toString":"z"';
    const { json } = await add(
      `{${keys},"map":{${hostile}},"__proto__":{"vlan":-1,"polluted":1},"runtimeConfig":{${hostile}},"args":{"cni":{${hostile}}}}`,
      { CNI_ARGS: '__proto__=1;constructor=2' },
    );
    expect(json.dns).toEqual({ search: ['__proto__=x', 'constructor=y', 'toString=z'] });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a required key is not found on the prototype', async () => {
    expect((await add('{"__proto__":{"name":"n","type":"t"},"cniVersion":"1.1.0"}')).json.code).toBe(7);
  });
});

describe('variables', () => {
  const odd = [
    '\0',
    'a\0b',
    '\x1b[31m',
    'a\nb',
    '\ud800',
    '\u202e',
    '\x7f',
    'x'.repeat(100_000),
    ' ',
    '..',
    '/',
    '=',
    ';;=;',
    '__proto__',
    'constructor',
  ];
  const names = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH'];

  test.each(names)('%s', async (name) => {
    for (const text of odd) {
      const { exitCode, json } = await add(`{${keys}}`, { [name]: text });
      if (exitCode === 1)
        expect({ name, text: text.slice(0, 9), code: json.code }).toMatchObject({ code: 4 });
      if (name === 'CNI_COMMAND') expect(exitCode).toBe(1);
    }
  });
});

/** Numbers that look random and are the same in every run (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test('3000 configurations with one to four pieces replaced, moved or cut', async () => {
  const right = `{${keys},"vlan":7,"list":[{"a":"b"}],"map":{"k":"v"},"ipam":{"type":"host-local"},"dns":{"nameservers":["10.0.0.1"]},"runtimeConfig":{"mac":"02:00:00:00:00:01"},"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.0.0.2/8","interface":0}],"routes":[{"dst":"::/0","mtu":1500}]}}`;
  const pieces = [
    'null',
    '[]',
    '{}',
    '"',
    '\\',
    '\0',
    '-1',
    '1e999',
    '"\\ud800"',
    ',',
    ':',
    '}',
    ']',
    'true',
    '',
    '\u2028',
  ];
  const random = generator(1);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    let stdin = right;
    for (let change = random(4); change >= 0; change--) {
      const from = random(stdin.length);
      stdin = stdin.slice(0, from) + pieces[random(pieces.length)] + stdin.slice(from + random(12));
    }
    refused += (await add(stdin)).exitCode;
  }
  expect(refused).toBeGreaterThan(1000);
  expect(refused).toBeLessThan(3000);
});
