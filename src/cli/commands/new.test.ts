import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { cli } from '../testing.ts';

const root = mkdtempSync(`${tmpdir()}/fairlead-new-`);
afterAll(() => rmSync(root, { recursive: true }));

const repository = new URL('../../..', import.meta.url).pathname.replace(/\/$/, '');

let directory = '';
let count = 0;
beforeEach(() => {
  directory = `${root}/${count++}`;
  mkdirSync(directory);
});

test('writes a project, at once, that depends on this checkout', async () => {
  const { exitCode, stdout, stderr } = await cli(['new', 'my-network', `${directory}/deep/mine`]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(`cd ${directory}/deep/mine\n    npm install\n`);
  expect(readdirSync(`${directory}/deep`)).toEqual(['mine']);
  const files = readdirSync(`${directory}/deep/mine`).sort();
  expect(files).toEqual([
    '.gitignore',
    'README.md',
    'my-network.conflist',
    'package.json',
    'plugin.test.ts',
    'plugin.ts',
    'tsconfig.json',
  ]);
  for (const file of files) {
    const text = readFileSync(`${directory}/deep/mine/${file}`, 'utf8');
    expect(text).not.toContain('{{');
    expect(statSync(`${directory}/deep/mine/${file}`).mode & 0o777).toBe(0o644);
  }
  const { name, devDependencies } = JSON.parse(readFileSync(`${directory}/deep/mine/package.json`, 'utf8'));
  expect({ name, devDependencies }).toEqual({
    name: 'my-network',
    devDependencies: { fairlead: `file:${repository}` },
  });
});

test('the plugin that it writes is the example', async () => {
  await cli(['new', 'mine', `${directory}/mine`]);
  const example = readFileSync(`${repository}/examples/plugins/point-to-point.ts`, 'utf8');
  expect(readFileSync(`${directory}/mine/plugin.ts`, 'utf8')).toBe(
    example.replace("'point-to-point'", "'mine'"),
  );
});

test('--json', async () => {
  const { stdout } = await cli(['new', 'mine', `${directory}/mine`, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'mine',
    directory: `${directory}/mine`,
    fairlead: repository,
  });
});

describe('names', () => {
  test.each([
    ['My-Network'],
    ['my_network'],
    ['-x'],
    ['x-'],
    ['9lives'],
    ['a/b'],
    ['..'],
    ['@scope/x'],
    ['x'.repeat(65)],
  ])('%s cannot be one', async (name) => {
    const { exitCode, stderr } = await cli(['new', '--', name, `${directory}/x`]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`"${name}" cannot be a plugin's name; it must be lower-case letters and digits`);
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each(['bridge', 'fairlead'])('%s is taken', async (name) => {
    const { exitCode, stderr } = await cli(['new', name, `${directory}/x`]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`the name "${name}" is taken by Fairlead itself`);
  });
});

describe('the directory', () => {
  test.each<[string, (path: string) => void]>([
    ['an empty directory', (path) => mkdirSync(path)],
    ['a file', (path) => writeFileSync(path, 'mine')],
    ['a link to nowhere', (path) => symlinkSync('/nowhere', path)],
  ])('that exists stays as it is: %s', async (_what, make) => {
    make(`${directory}/mine`);
    const { exitCode, stderr } = await cli(['new', 'mine', `${directory}/mine`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${directory}/mine exists already; name a directory that does not exist`);
    expect(readdirSync(directory)).toEqual(['mine']);
  });

  test('that cannot be made is told, and nothing is left', async () => {
    writeFileSync(`${directory}/file`, '');
    const { exitCode, stderr } = await cli(['new', 'mine', `${directory}/file/mine`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`cannot write ${directory}/file/mine: `);
    expect(readdirSync(directory)).toEqual(['file']);
  });
});

describe('the checkout', () => {
  /** A copy of the executable's place and of the package. */
  function checkout(): string {
    mkdirSync(`${directory}/src/plugin`, { recursive: true });
    mkdirSync(`${directory}/dist`);
    writeFileSync(`${directory}/package.json`, '{ "name": "fairlead" }');
    writeFileSync(`${directory}/src/plugin/index.ts`, '');
    writeFileSync(`${directory}/dist/fairlead`, '');
    return directory;
  }

  test('is where the executable was built, links followed', async () => {
    symlinkSync(`${checkout()}/dist/fairlead`, `${directory}/link`);
    const call = ['new', 'mine', `${directory}/mine`, '--json'];
    const { stdout } = await cli(call, { executablePath: `${directory}/link` });
    expect(JSON.parse(stdout).fairlead).toBe(directory);
  });

  test('is asked for, where the executable is somewhere else', async () => {
    writeFileSync(`${directory}/fairlead`, '');
    const { exitCode, stderr } = await cli(['new', 'mine', `${directory}/mine`], {
      executablePath: `${directory}/fairlead`,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `a plugin is built with Fairlead's source, and ${directory}/fairlead is not in a checkout of it; get its source and name it: --fairlead DIR`,
    );
    expect(readdirSync(directory)).toEqual(['fairlead']);
  });

  test('can be named', async () => {
    const call = ['new', 'mine', `${directory}/mine`, '--fairlead', checkout(), '--json'];
    const { stdout } = await cli(call, { executablePath: '/opt/cni/bin/fairlead' });
    expect(JSON.parse(stdout).fairlead).toBe(directory);
  });

  test('must be one', async () => {
    const { stderr } = await cli(['new', 'mine', `${directory}/mine`, '--fairlead', directory]);
    expect(stderr).toContain(`${directory} is no checkout of Fairlead: it has no package "fairlead"`);
  });
});
