/** What can be wrong on standard input: each gives one error with its code, and changes nothing. */
import { describe, expect, test } from 'bun:test';
import { runPlugin } from '../support/plugin.ts';
import { callOf, changeNothing, refusal, subjectOf, subjects } from './plugins.ts';

changeNothing();

const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'];

const texts: readonly (readonly [what: string, stdin: string | Uint8Array])[] = [
  ['nothing', ''],
  ['white space', ' \n\t'],
  ['garbage', 'ceci n’est pas JSON'],
  ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe, 0x22, 0x7d)],
  ['NUL bytes', new Uint8Array(64)],
  ['a list', '[{"cniVersion":"1.0.0"}]'],
  ['a text', '"1.0.0"'],
  ['a number', '12'],
  ['null', 'null'],
  ['true', 'true'],
  ['half of an object', '{"cniVersion":"1.0.0","name":"fau'],
  ['two objects', '{"cniVersion":"1.0.0"}{"cniVersion":"1.0.0"}'],
  ['a comment', '{"cniVersion":"1.0.0" /* why */}'],
  ['lists in lists, 100,000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['objects in objects, 100,000 deep, not ended', '{"a":'.repeat(100_000)],
  ['cniVersion that is a number', '{"cniVersion":1.0,"name":"faults","type":"x"}'],
  ['cniVersion that is an object', '{"cniVersion":{},"name":"faults","type":"x"}'],
];

describe.each(subjects.map((subject) => [subject.plugin, subject] as const))('%s', (_, subject) => {
  test.each(texts)('%s: code 6', async (_what, stdin) => {
    for (const command of commands) {
      const { code, msg } = await refusal(callOf(subject, command, { stdin }));
      expect({ command, code, msg }).toEqual({ command, code: 6, msg: expect.any(String) });
      expect(msg.length).toBeLessThan(400);
    }
  });

  test('50 MB: code 6, soon, and without taking the memory', async () => {
    const stdin = JSON.stringify({ ...subject.config, padding: 'x'.repeat(50_000_000) });
    const { code, msg } = await refusal(callOf(subject, 'ADD', { stdin }));
    expect({ code, msg }).toEqual({
      code: 6,
      msg: 'the configuration on standard input is larger than 4 MiB',
    });
  });

  test.each(['9.9.9', '1.0', '1.1.0-rc1', 'latest', ' 1.0.0', '01.0.0', '__proto__'])(
    'cniVersion %j: code 1',
    async (cniVersion) => {
      for (const command of commands) {
        const { code, msg } = await refusal(
          callOf({ ...subject, config: { ...subject.config, cniVersion } }, command),
        );
        expect({ command, code, msg }).toEqual({
          command,
          code: 1,
          msg: expect.stringContaining(JSON.stringify(cniVersion)),
        });
      }
    },
  );

  test.each([
    ['GC', '1.0.0'],
    ['STATUS', '1.0.0'],
    ['CHECK', '0.3.1'],
  ])('%s in a version before there was one, %s: code 1', async (command, cniVersion) => {
    const config = { ...subject.config, cniVersion };
    const { code, msg } = await refusal(callOf({ ...subject, config }, command));
    expect({ code, msg }).toEqual({ code: 1, msg: expect.stringContaining(cniVersion) });
  });

  test.each(['', 'a/b', '..', '../x', '-x', '.x', 'a b', 'a\nb', 'a\0b', 'ü', 'x'.repeat(256)])(
    'name %j: code 7',
    async (name) => {
      for (const command of commands) {
        const { code, msg } = await refusal(
          callOf({ ...subject, config: { ...subject.config, name } }, command),
        );
        expect({ command, code, msg }).toEqual({ command, code: 7, msg: expect.stringContaining('`name`') });
      }
    },
  );

  test('a capability, keys and arguments that nobody knows are no errors', async () => {
    const { capabilities, runtimeConfig } = subject.config;
    const config = {
      ...subject.config,
      capabilities: { ...(capabilities as object), telepathy: true },
      runtimeConfig: { ...(runtimeConfig as object), telepathy: { range: 5 } },
      args: { cni: { unheardOf: [1, 2] }, others: null },
      unknown: { deep: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown },
    };
    const call = callOf({ ...subject, config }, 'DEL', { args: 'UNKNOWN=1;K8S_POD_NAME=pod=x' });
    expect(await runPlugin(call)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });
});

describe('a bridge’s names', () => {
  const bridge = subjectOf('bridge');

  test.each([
    ['bridge', 'a/b'],
    ['bridge', '..'],
    ['bridge', 'sixteen-bytes-xx'],
    ['bridge', 'a\0b'],
    ['bridge', 'a b'],
    ['bridge', ''],
  ])('%s %j: code 7', async (key, value) => {
    const { code, msg } = await refusal(
      callOf({ ...bridge, config: { ...bridge.config, [key]: value } }, 'ADD'),
    );
    expect({ code, msg }).toEqual({
      code: 7,
      msg: expect.stringContaining(`\`${key}\` of plugin \`bridge\``),
    });
  });

  test.each(['../host-local', 'a/b', '..', '.', 'a\0b', 'a\\b', 'no-such-plugin'])(
    'ipam.type %j',
    async (type) => {
      const config = { ...bridge.config, ipam: { ...(bridge.config.ipam as object), type } };
      const { msg } = await refusal(callOf({ ...bridge, config }, 'ADD'));
      expect(msg).toContain(JSON.stringify(type).slice(1, -1));
    },
  );
});
