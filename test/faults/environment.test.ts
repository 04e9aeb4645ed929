/** What can be wrong in the environment: each gives one error with code 4 that names the variable, and changes nothing. */
import { describe, expect, test } from 'bun:test';
import { type PluginCall, runPlugin } from '../support/plugin.ts';
import { callOf, changeNothing, refusal, subjects } from './plugins.ts';

changeNothing();

const unset = (name: string) => ({ env: { [name]: undefined } });
const set = (name: string, value: string) => ({ env: { [name]: value } });

const long = 'x'.repeat(256);
const badIds = ['', '-x', '.x', 'a/b', '..', '../x', 'a b', 'a\nb', 'a\u0001b', 'a\u007fb', 'ü', 'a:b', long];
const badInterfaces = [
  '',
  'sixteen-bytes-xx',
  'üüüüüüüü',
  'a/b',
  '.',
  '..',
  'a b',
  'a:b',
  'a\tb',
  'a\u0001b',
  long,
];
const badArgs = ['x', '=y', 'A=1;x', ';=;', 'IP'];
const badNamespaces = ['relative', './x', '../x', 'net:[4026531840]'];

/** The variable, the commands that need it, and what is wrong with it. */
const faults: readonly (readonly [
  variable: string,
  commands: readonly string[],
  wrong: Partial<PluginCall>,
])[] = [
  ...['', 'add', 'ADD ', 'RM', 'ADD\n', 'ADD,DEL', '__proto__', long].map(
    (value) => ['CNI_COMMAND', ['ADD'], set('CNI_COMMAND', value)] as const,
  ),
  ['CNI_COMMAND', ['ADD'], unset('CNI_COMMAND')],
  ...badIds.map(
    (value) => ['CNI_CONTAINERID', ['ADD', 'DEL', 'CHECK'], set('CNI_CONTAINERID', value)] as const,
  ),
  ['CNI_CONTAINERID', ['ADD', 'DEL', 'CHECK'], unset('CNI_CONTAINERID')],
  ...badInterfaces.map((value) => ['CNI_IFNAME', ['ADD', 'DEL', 'CHECK'], set('CNI_IFNAME', value)] as const),
  ['CNI_IFNAME', ['ADD', 'DEL', 'CHECK'], unset('CNI_IFNAME')],
  ...badNamespaces.map((value) => ['CNI_NETNS', ['ADD', 'CHECK'], set('CNI_NETNS', value)] as const),
  ['CNI_NETNS', ['ADD', 'CHECK'], unset('CNI_NETNS')],
  ['CNI_NETNS', ['ADD', 'CHECK'], set('CNI_NETNS', '')],
  ['CNI_PATH', ['GC'], unset('CNI_PATH')],
  ['CNI_PATH', ['GC'], set('CNI_PATH', '')],
  ...badArgs.map((args) => ['CNI_ARGS', ['ADD', 'CHECK'], { args }] as const),
];

describe.each(subjects.map((subject) => [subject.plugin, subject] as const))('%s', (_, subject) => {
  test.each(
    faults.map(
      ([variable, commands, wrong]) =>
        [variable, JSON.stringify(wrong).slice(0, 60), commands, wrong] as const,
    ),
  )('%s: %s', async (variable, _text, commands, wrong) => {
    for (const command of commands) {
      const { code, msg } = await refusal(callOf(subject, command, wrong));
      expect({ command, code, msg }).toEqual({ command, code: 4, msg: expect.stringContaining(variable) });
      expect(msg.length).toBeLessThan(400);
    }
  });

  test('DEL does without what it does not need', async () => {
    for (const wrong of [
      ...badNamespaces.map((netns) => ({ netns })),
      ...badArgs.map((args) => ({ args })),
    ]) {
      const { exitCode, stdout } = await runPlugin(callOf(subject, 'DEL', wrong));
      expect({ wrong, exitCode, stdout }).toEqual({ wrong, exitCode: 0, stdout: '' });
    }
  });

  test('several at once are told at once', async () => {
    const env = { CNI_CONTAINERID: '..', CNI_IFNAME: undefined, CNI_NETNS: 'x', CNI_ARGS: '=' };
    const { msg } = await refusal(callOf(subject, 'ADD', { env }));
    for (const variable of Object.keys(env)) expect(msg).toContain(variable);
  });

  test('CNI_PATH without the IPAM plugin, or with directories that do not exist or are relative', async () => {
    if (subject.plugin !== 'bridge') return;
    for (const path of ['/none', '.:..:cni', ':', '/run/none:relative']) {
      const { code, msg } = await refusal(callOf(subject, 'ADD', set('CNI_PATH', path)));
      expect({ path, code, msg }).toEqual({
        path,
        code: expect.any(Number),
        msg: expect.stringContaining('host-local'),
      });
    }
  });

  test('VERSION needs nothing but its name', async () => {
    const names = ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS', 'CNI_PATH'];
    const env = Object.fromEntries(names.map((name) => [name, undefined]));
    for (const stdin of ['', '{}', '{"cniVersion":"0.4.0"}']) {
      const { exitCode, json } = await runPlugin(callOf(subject, 'VERSION', { env, stdin }));
      expect({ exitCode, json }).toMatchObject({
        exitCode: 0,
        json: { supportedVersions: expect.arrayContaining(['1.1.0']) },
      });
    }
  });
});
