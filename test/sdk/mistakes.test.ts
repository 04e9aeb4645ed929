/** What a plugin's author does wrong, in real processes: what is told, and where. */
import { afterEach, describe, expect, test } from 'bun:test';
import { definePlugin, integer, object, type Result, string } from '../../src/plugin/index.ts';
import { createContainer, removeContainers, runProgram, testPlugin } from '../../src/testing/index.ts';
import { createProject, repository } from './project.ts';

afterEach(removeContainers);

/** A plugin's file: its ADD has this body. */
const withAdd = (body: string) => `import { definePlugin, pluginMain } from 'fairlead/plugin';
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const plugin = definePlugin({
  name: 'mine',
  async add({ ipam, config }) {
    ${body}
    return { ips: [] };
  },
  del() {},
  check() {},
});
if (import.meta.main) await pluginMain(plugin);
`;

/** ADD of a plugin with that body, as a runtime executes it. */
async function add(body: string) {
  using project = createProject();
  const ended = await runProgram([project.plugin(withAdd(body))], {
    env: {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c',
      CNI_NETNS: '/run/netns/c',
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/none',
    },
    stdin: '{ "cniVersion": "1.1.0", "name": "n", "type": "mine", "ipam": { "type": "none" } }',
  });
  return { ...ended, json: JSON.parse(ended.stdout) };
}

test.each([
  [
    'a thrown error',
    "throw new Error('no cable');",
    { code: 999, msg: 'no cable', details: 'thrown at mine.ts:6:15' },
  ],
  ['a rejected promise', "await Promise.reject(new Error('no cable'));", { code: 999, msg: 'no cable' }],
  [
    'a mistake in the code',
    '(config as any).cable.plug();',
    {
      code: 999,
      msg: expect.stringMatching(
        /^ADD of plugin `mine` failed by a mistake in its code: TypeError: .*undefined/,
      ),
      details: expect.stringMatching(/^thrown at mine\.ts:6:\d+$/),
    },
  ],
  [
    'a promise that nobody waits for, and that fails at once',
    "void Promise.reject(new Error('no cable'));",
    {
      code: 999,
      msg: 'ADD of plugin `mine` began something that nobody waits for, and it failed: no cable',
      details: 'every promise must be awaited or returned',
    },
  ],
  [
    'a promise that nobody waits for, and that fails in the meantime',
    "void wait(10).then(() => { throw new Error('no cable'); }); await wait(30);",
    { code: 999, msg: expect.stringContaining('nobody waits for, and it failed: no cable') },
  ],
  [
    'a call of another plugin that nobody waits for',
    'void ipam.add();',
    { code: 999, msg: 'ADD of plugin `mine` ended while its ADD of plugin `none` was still running' },
  ],
])('%s', async (_what, body, error) => {
  const { exitCode, json, stderr } = await add(body);
  expect(exitCode).toBe(1);
  expect(json).toMatchObject(error);
  expect(stderr).toBe('');
});

describe('text on standard output', () => {
  test.each([
    ['console.log', "console.log('here I am');"],
    ['process.stdout', "process.stdout.write('here I am\\n');"],
  ])('%s goes to standard error, and is told', async (_what, body) => {
    const { exitCode, json, stderr } = await add(body);
    expect({ exitCode, json }).toEqual({ exitCode: 0, json: { cniVersion: '1.1.0' } });
    expect(stderr).toBe(
      'here I am\nplugin `mine` printed on standard output in ADD: that is for the result alone, so it was printed here; use console.error\n',
    );
  });

  test('past all that, to the descriptor: the caller says what it got instead of a result', async () => {
    using project = createProject();
    const path = project.plugin(
      `import { writeSync } from 'node:fs';\n${withAdd("writeSync(1, 'here I am');")}`,
    );
    await expect(testPlugin(path).add(createContainer())).rejects.toMatchObject({
      code: 6,
      msg: expect.stringContaining('it printed a result that is no JSON'),
      details: expect.stringContaining('here I am'),
    });
  });
});

describe('what never ends', () => {
  const forever = ['an endless loop', 'for (;;);'] as const;
  const never = [
    'a promise that nothing settles',
    'setInterval(() => {}, 1000); await new Promise(() => {});',
  ] as const;

  test.each([forever, never])('%s of an executable is ended by the limit', async (_what, body) => {
    using project = createProject();
    const plugin = testPlugin(project.plugin(withAdd(body)), { timeoutSeconds: 1 });
    await expect(plugin.add(createContainer())).rejects.toMatchObject({
      code: 999,
      msg: 'ADD of plugin `mine` did not end within 1 s: it waits for something that never comes, or loops for ever',
    });
  });

  test('a promise that nothing settles, in the process of the test', async () => {
    const plugin = definePlugin({
      name: 'mine',
      add: () => new Promise<Result>(() => {}),
      del() {},
      check() {},
    });
    await expect(testPlugin(plugin, { timeoutSeconds: 1 }).add(createContainer())).rejects.toMatchObject({
      msg: expect.stringContaining('ADD of plugin `mine` did not end within 1 s'),
    });
  });

  test('an endless loop in the process of the test ends that, with a message', async () => {
    using project = createProject();
    project.plugin(withAdd('for (;;);').replace('const plugin', 'export const plugin'));
    const file = project.write(
      'mine.test.ts',
      `import { test } from 'bun:test';
import { createContainer, testPlugin } from 'fairlead/testing';
import { plugin } from './mine.ts';
test('add', async () => {
  using container = createContainer();
  await testPlugin(plugin, { timeoutSeconds: 1 }).add(container);
});
`,
    );
    const { exitCode, stderr } = await runProgram([process.execPath, 'test', file], {
      cwd: project.directory,
    });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('fairlead/testing: ADD of plugin `mine` did not end within 1 s');
  });
});

test.each([
  ['of a plugin', "throw new Error('no cable');", 'await testPlugin(plugin).add(container);'],
  ['of an assertion', '', "assertThat(container).hasLink('eth0');"],
  [
    'of a result that claims what is not there',
    "if (1) return { interfaces: [{ name: 'eth9' }] };",
    'await testPlugin(plugin).add(container);',
  ],
])("the error %s is shown at the test's line, not in fairlead's own code", async (_what, body, line) => {
  using project = createProject();
  project.plugin(withAdd(body).replace('const plugin', 'export const plugin'));
  const file = project.write(
    'mine.test.ts',
    `import { test } from 'bun:test';
import { assertThat, createContainer, testPlugin } from 'fairlead/testing';
import { plugin } from './mine.ts';
test('add', async () => {
  using container = createContainer();
  ${line}
});
`,
  );
  const { stderr } = await runProgram([process.execPath, 'test', file], { cwd: project.directory });
  expect(stderr).toContain(`6 |   ${line}\n`);
  expect(stderr).not.toContain('/src/testing/');
});

describe('a result that claims what is not there', () => {
  const claiming = (result: (netns: string) => Result) =>
    testPlugin(
      definePlugin({ name: 'mine', add: ({ attachment }) => result(attachment.netns), del() {}, check() {} }),
    );

  test.each<[string, (netns: string) => Result, RegExp]>([
    [
      'an interface in the container',
      (sandbox) => ({ interfaces: [{ name: 'eth0', sandbox }] }),
      /^the result of plugin `mine` is not what the kernel has: it says interface eth0 in \/run\/netns\/\w+, where there are only lo$/,
    ],
    [
      'an interface of the node',
      () => ({ interfaces: [{ name: 'veth1' }] }),
      /it says interface veth1 in the node, where there are only .*lo/,
    ],
    [
      'an address',
      (sandbox) => ({
        interfaces: [{ name: 'lo', sandbox }],
        ips: [{ address: '10.0.0.1/8', interface: 0 }],
      }),
      /it says that lo in \S+ has address 10\.0\.0\.1\/8, it has none$/,
    ],
    [
      'a hardware address',
      (sandbox) => ({ interfaces: [{ name: 'lo', sandbox, mac: '02:00:00:00:00:01' }] }),
      /it says that lo in \S+ has hardware address 02:00:00:00:00:01, it has 00:00:00:00:00:00$/,
    ],
  ])('%s', async (_what, result, message) => {
    await expect(claiming(result).add(createContainer())).rejects.toThrow(message);
  });

  test('an index of nothing', async () => {
    const plugin = claiming(() => ({ ips: [{ address: '10.0.0.1/8', interface: 1 }] }));
    await expect(plugin.add(createContainer())).rejects.toMatchObject({
      code: 999,
      msg: expect.stringContaining('plugin `mine` made a wrong result: `ips[0].interface`'),
    });
  });
});

describe('a schema that contradicts itself', () => {
  test.each<[string, () => unknown, string]>([
    ['bounds', () => integer({ min: 5, max: 4 }), 'at least 5 and at most 4'],
    [
      'a default',
      () => integer({ max: 4094 }).default(5000),
      'the default must be a whole number, 4094 or less, got 5000',
    ],
    [
      'keys that exclude each other and are always there',
      () => object({ a: string(), b: string() }).notTogether('a', 'b'),
      'notTogether: `a` and `b` are always set, so nothing would be right',
    ],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(message);
  });

  test('whoever calls the plugin gets the message too', async () => {
    using project = createProject();
    const source = withAdd('').replace(
      "name: 'mine',",
      "name: 'mine', config: object({ vlan: integer({ min: 5, max: 4 }) }),",
    );
    const path = project.plugin(source.replace('import {', 'import { integer, object,'));
    await expect(testPlugin(path).add(createContainer())).rejects.toMatchObject({
      code: 999,
      msg: `${path} failed with exit code 1 without saying why`,
      details: expect.stringContaining('at least 5 and at most 4'),
    });
  });
});

test('outside of a sandbox, tests say how they are run', async () => {
  const code = `import { testPlugin } from '${repository}/src/testing/index.ts'; testPlugin('/bin/true');`;
  const { stderr } = await runProgram([process.execPath, '-e', code], { env: {} });
  expect(stderr).toContain('they run in a sandbox only: `fairlead-plugin test`, as root');
});
