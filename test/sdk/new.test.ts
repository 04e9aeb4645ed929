/** `fairlead new`, by the executable, and then the project's own commands. */
// packages: iputils-ping
// seconds: 180
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
  assertThat,
  createContainer,
  removeContainers,
  runProgram,
  testPlugin,
} from '../../src/testing/index.ts';
import { dist } from '../support/plugin.ts';
import { limit } from '../support/sandbox.ts';
import { repository } from './project.ts';

setDefaultTimeout(limit(60));

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-new-`);
  // What `npm run build` made may be anywhere in the tests.
  await run('.', `${dist}/fairlead`, 'new', 'my-network', 'project', '--fairlead', repository);
  await run('project', 'npm', 'install');
});
afterAll(() => {
  removeContainers();
  rmSync(directory, { recursive: true });
});

async function run(where: string, ...argv: readonly string[]) {
  const env = { ...process.env, npm_config_cache: `${directory}/npm`, npm_config_update_notifier: 'false' };
  const ended = await runProgram(argv, {
    cwd: where.startsWith('/') ? where : `${directory}/${where}`,
    env: env as Record<string, string>,
    timeoutSeconds: 60,
  });
  return { ...ended, text: ended.stdout + ended.stderr };
}

const npm = (...args: readonly string[]) => run('project', 'npm', 'run', ...args);

/** Changes the plugin for a while. */
async function changed(from: string, to: string, body: () => Promise<void>): Promise<void> {
  const file = `${directory}/project/plugin.ts`;
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
  try {
    await body();
  } finally {
    writeFileSync(file, text);
  }
}

describe('npm test', () => {
  test('passes', async () => {
    const { exitCode, text } = await npm('test');
    expect(text).toMatch(/ 4 pass\n 0 fail\n/);
    expect(exitCode).toBe(0);
  });

  test('fails where the plugin does not work any more', async () => {
    await changed('await configureInterface(container, ifname, made);', '', async () => {
      const { exitCode, text } = await npm('test');
      expect(exitCode).not.toBe(0);
      expect(text).toMatch(
        /the result of plugin `my-network` is not what the kernel has: it says that eth0 .* has address 10\.89\.0\.2\/32, it has none/,
      );
    });
  });

  test('says that it takes root', async () => {
    const { exitCode, text } = await run(
      '/',
      'setpriv',
      '--reuid=65534',
      `${repository}/scripts/fairlead-plugin.sh`,
      'test',
    );
    expect(exitCode).not.toBe(0);
    expect(text).toContain('the tests make network namespaces and links, which takes root: sudo npm test');
  });
});

test('npm run check passes, and finds a mistake', async () => {
  expect(await npm('check')).toMatchObject({ exitCode: 0 });
  await changed('config: { mtu }', 'config: { mtus }', async () => {
    const { exitCode, text } = await npm('check');
    expect(exitCode).not.toBe(0);
    expect(text).toContain("Property 'mtus' does not exist");
  });
});

test('npm run build makes an executable that works', async () => {
  expect(await npm('build')).toMatchObject({ exitCode: 0 });
  const executable = `${directory}/project/dist/my-network`;
  const list = JSON.parse(readFileSync(`${directory}/project/my-network.conflist`, 'utf8'));
  const network = testPlugin(executable, { config: list.plugins[0] });
  const container = createContainer();
  await network.add(container);
  assertThat(container).hasLink('eth0').up().withMtu(1400);
  await assertThat(container).reaches('fd00:10:89::1');
  await network.check(container);
  await network.del(container);
  assertThat(container).hasNoLink('eth0');
});

test('what was built says where a mistake in its code is, and where one called the library wrongly', async () => {
  const openNodes = 'using node = openNode();';
  const cases: readonly [string, RegExp, RegExp][] = [
    [
      '(attachment as any).cable.plug();',
      /evaluating 'attachment\.cable\.plug'/,
      /^thrown at plugin\.ts:\d+:\d+$/,
    ],
    [
      'formatPrefix(undefined as any);',
      /evaluating 'prefix\.address'/,
      /^thrown at ip\.ts:\d+:\d+, called at plugin\.ts:\d+:\d+$/,
    ],
  ];
  for (const [mistake, message, details] of cases)
    await changed(openNodes, `${openNodes} ${mistake}`, async () => {
      expect(await npm('build')).toMatchObject({ exitCode: 0 });
      const list = JSON.parse(readFileSync(`${directory}/project/my-network.conflist`, 'utf8'));
      const network = testPlugin(`${directory}/project/dist/my-network`, { config: list.plugins[0] });
      await expect(network.add(createContainer())).rejects.toMatchObject({
        msg: expect.stringMatching(message),
        details: expect.stringMatching(details),
      });
    });
  expect(readdirSync(`${directory}/project/dist`)).toEqual(['my-network']);
});

test('npm run build fails where the plugin cannot be compiled', async () => {
  await changed('export const plugin', 'export const = plugin', async () => {
    const { exitCode, text } = await npm('build');
    expect(exitCode).not.toBe(0);
    expect(text).toContain('fairlead-plugin: cannot compile');
  });
});
