import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { pluginNames } from '../../plugins/names.ts';
import { cli } from '../testing.ts';
import { version } from '../version-number.ts';

let directory: string;
let executablePath: string;
let bin: string;

beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-install-`);
  executablePath = `${directory}/fairlead-new`;
  bin = `${directory}/opt/cni/bin`;
  writeFileSync(executablePath, 'the new executable', { mode: 0o700 });
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const install = (...argv: readonly string[]) => cli(['install', bin, ...argv], { executablePath });
const widest = Math.max(...pluginNames.map(({ length }) => length));
const row = (file: string, done: string) => `${file.padEnd(widest)}  ${done}\n`;
const rows = (done: (name: string) => string) => pluginNames.map((name) => row(name, done(name))).join('');
const expected = (executable: string, done: (name: string) => string) =>
  `installed fairlead ${version} in ${bin}\n\n${row('FILE', 'WHAT WAS DONE')}${row('fairlead', executable)}${rows(done)}`;

test('into a directory that is not there yet', async () => {
  const { exitCode, stdout } = await install();
  expect(stdout).toBe(expected('new', () => 'new, a link to fairlead'));
  expect(exitCode).toBe(0);
  expect(readdirSync(bin).sort()).toEqual(['fairlead', ...pluginNames].sort());
  expect(readFileSync(`${bin}/fairlead`, 'utf8')).toBe('the new executable');
  expect(statSync(`${bin}/fairlead`).mode & 0o7777).toBe(0o755);
  for (const name of pluginNames) expect(readlinkSync(`${bin}/${name}`)).toBe('fairlead');
});

test('a second time nothing changes', async () => {
  await install();
  const before = readdirSync(bin).map((name) => lstatSync(`${bin}/${name}`).ino);
  expect((await install()).stdout).toBe(expected('unchanged', () => 'unchanged'));
  expect(readdirSync(bin).map((name) => lstatSync(`${bin}/${name}`).ino)).toEqual(before);
});

test('over an older version and the reference plugins; what is not ours stays', async () => {
  mkdirSync(bin, { recursive: true });
  writeFileSync(`${bin}/fairlead`, 'the old executable');
  writeFileSync(`${bin}/bridge`, 'a reference plugin', { mode: 0o755 });
  writeFileSync(`${bin}/calico`, 'another');
  symlinkSync('/usr/lib/cni/portmap', `${bin}/portmap`);
  const replaced = (name: string) => {
    if (name === 'bridge') return 'a link to fairlead, replaced a file';
    return name === 'portmap'
      ? 'a link to fairlead, replaced a link to /usr/lib/cni/portmap'
      : 'new, a link to fairlead';
  };
  expect((await install()).stdout).toBe(expected('replaced a file', replaced));
  expect(readFileSync(`${bin}/bridge`, 'utf8')).toBe('the new executable');
  expect(readFileSync(`${bin}/calico`, 'utf8')).toBe('another');
});

test('a link in place of the executable is replaced, and its target stays', async () => {
  mkdirSync(bin, { recursive: true });
  writeFileSync(`${directory}/elsewhere`, 'old');
  symlinkSync(`${directory}/elsewhere`, `${bin}/fairlead`);
  await install();
  expect(lstatSync(`${bin}/fairlead`).isFile()).toBe(true);
  expect(readFileSync(`${directory}/elsewhere`, 'utf8')).toBe('old');
});

test('by the executable in that directory: only links are missing', async () => {
  await install();
  rmSync(`${bin}/bridge`);
  const { stdout } = await cli(['install', bin], { executablePath: `${bin}/fairlead` });
  expect(stdout).toBe(
    expected('unchanged: it is this file', (name) =>
      name === 'bridge' ? 'new, a link to fairlead' : 'unchanged',
    ),
  );
});

test('for programs', async () => {
  const { stdout } = await install('--json');
  const files = pluginNames.map((name) => ({ name, done: 'new, a link to fairlead' }));
  expect(JSON.parse(stdout)).toEqual({
    version,
    directory: bin,
    files: [{ name: 'fairlead', done: 'new' }, ...files],
  });
});

describe('what an installation that was killed left', () => {
  const leftover = () => `${bin}/.fairlead.0f0f.fairlead.new`;
  beforeEach(() => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(leftover(), 'half');
  });

  test('is removed when it is an hour old', async () => {
    const long = new Date(Date.now() - 3_700_000);
    utimesSync(leftover(), long, long);
    await install();
    expect(existsSync(leftover())).toBe(false);
  });

  test('stays when it may be another installation at work', async () => {
    await install();
    expect(existsSync(leftover())).toBe(true);
  });
});

describe('failures: nothing is changed, one line, exit code 1', () => {
  test('a directory in the place of a plugin', async () => {
    mkdirSync(`${bin}/portmap`, { recursive: true });
    const { exitCode, stdout, stderr } = await install();
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `error 5: cannot install into ${bin}: ${bin}/portmap is a directory; remove it first\n`,
    );
    expect(readdirSync(bin)).toEqual(['portmap']);
  });

  test('a file in the place of the directory', async () => {
    writeFileSync(`${directory}/opt`, '');
    const { exitCode, stderr } = await install();
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(`error 5: cannot install into ${bin}: ENOTDIR`);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });

  test('run from its source', async () => {
    const { exitCode, stdout } = await cli(['install', bin, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 5,
      details: '`npm run build` makes dist/fairlead, which can install itself',
    });
    expect(existsSync(bin)).toBe(false);
  });
});
