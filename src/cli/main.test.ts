import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { cniVersions } from '../cni/index.ts';
import { commands } from './commands/index.ts';
import { cli } from './testing.ts';
import { version } from './version-number.ts';

describe('help', () => {
  test('without arguments the overview goes to standard error, with exit code 2', async () => {
    const { exitCode, stdout, stderr } = await cli([]);
    expect([exitCode, stdout]).toEqual([2, '']);
    const width = Math.max(...commands.map(({ name }) => name.length));
    for (const { name, summary } of commands)
      expect(stderr).toContain(`  ${name.padEnd(width)}  ${summary}\n`);
  });

  test.each([['help'], ['--help'], ['-h']])('fairlead %s shows the overview', async (argument) => {
    const { exitCode, stdout } = await cli([argument]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe((await cli([])).stderr);
  });

  test.each(commands.map(({ name }) => [name]))(
    'of %s: usage, every option, an example, the exit codes, in lines of at most 100 columns',
    async (name) => {
      const { exitCode, stdout } = await cli([name, '--help']);
      expect(exitCode).toBe(0);
      const command = commands.find((each) => each.name === name);
      expect(stdout).toStartWith(`Usage: fairlead ${name} `);
      for (const option of command?.options ?? []) expect(stdout).toContain(`  --${option.name}`);
      for (const example of command?.examples ?? []) expect(stdout).toContain(`\n  ${example}\n`);
      expect(stdout).toMatch(
        /\nExit codes\n {2}0 {2}done\n {2}1 {2}.+\n {2}2 {2}wrong usage; nothing was done\n$/,
      );
      expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
      expect((await cli(['help', name])).stdout).toBe(stdout);
      expect((await cli([name, '-h'])).stdout).toBe(stdout);
    },
  );

  test('for programs', async () => {
    const all = JSON.parse((await cli(['help', '--json'])).stdout) as { name: string }[];
    expect(all.map(({ name }) => name)).toEqual(commands.map(({ name }) => name));
    expect(JSON.parse((await cli(['help', 'gc', '--json'])).stdout)).toMatchObject({ name: 'gc' });
  });
});

describe('wrong usage: exit code 2, one line that says what to do', () => {
  test.each([
    ['vresion', 'there is no command "vresion"; did you mean version?'],
    ['frobnicate', 'there is no command "frobnicate"; there are add, check, del, '],
    ['add', 'NETWORK is missing (the name of a network configuration); see `fairlead add --help`'],
    ['add pods', 'NETNS is missing ('],
    ['add pods blue eth0', '"eth0" is one argument too many; see `fairlead add --help`'],
    ['add pods blue --ifnam=x', 'there is no option --ifnam; did you mean --ifname?'],
    ['add pods blue -x', 'there is no option -x; see `fairlead add --help`'],
    ['add pods blue --ifname', '--ifname needs a value: --ifname NAME'],
    ['add pods blue --ifname=', '--ifname needs a value: --ifname NAME'],
    ['add pods blue --json=yes', '--json takes no value'],
    ['add pods blue --ifname a --ifname b', '--ifname is given twice'],
    [
      'add pods blue --ifname sixteen-letters-',
      '--ifname must have at most 15 bytes, got 16 in "sixteen-letters-"',
    ],
    ['add pods blue --container-id a/b', '--container-id must start with a letter or digit'],
    ['add pods blue --args IP', '--args must be KEY=VALUE pairs joined by ";", got "IP"'],
    [
      'add pods blue --capability-args [1]',
      '--capability-args must be a JSON object such as {"portMappings":',
    ],
    ['gc pods --keep a/b --keep-none', '--keep-none cannot be given together with --keep'],
    ['gc pods --keep ../x', '--keep ../x: '],
    ['validate', 'FILE is missing ('],
    ['list pods', '"pods" is one argument too many'],
  ])('fairlead %s', async (line, message) => {
    const argv = line.split(' ');
    const people = await cli(argv);
    expect(people.exitCode).toBe(2);
    expect(people.stdout).toBe('');
    expect(people.stderr).toStartWith(`error 4: ${message}`);
    expect(people.stderr.match(/\n/g)).toHaveLength(1);
  });

  test('an argument that is empty', async () => {
    expect((await cli(['add', '', 'blue'])).stderr).toStartWith('error 4: NETWORK is empty');
  });

  test('for programs: a CNI error object on standard output, nothing on standard error', async () => {
    const { exitCode, stdout, stderr } = await cli(['add', 'pods', '--json']);
    expect([exitCode, stderr]).toEqual([2, '']);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: '1.1.0',
      code: 4,
      msg: "NETNS is missing (the network namespace's file; a NAME alone is /run/netns/NAME)",
      details: 'see `fairlead add --help`',
    });
  });

  test('a variable is called by its own name', async () => {
    const wrong = await cli(['add', 'pods', 'blue'], { env: { CAP_ARGS: '{"mac":' } });
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toStartWith('error 4: CAP_ARGS must be a JSON object such as ');
    expect(wrong.stderr).toContain('at character 8 should be a value');
    expect((await cli(['add', 'pods', 'blue'], { env: { CNI_IFNAME: 'a/b' } })).stderr).toStartWith(
      'error 4: CNI_IFNAME must not have "/"',
    );
  });
});

describe('colours', () => {
  const coloured = '\x1b[';

  test('on a terminal', async () => {
    expect((await cli(['help'], { terminal: true })).stdout).toContain(coloured);
    expect((await cli(['nothing'], { terminal: true })).stderr).toContain(coloured);
  });

  test.each([[{ NO_COLOR: '1' }], [{ TERM: 'dumb' }]])('none on a terminal with %j', async (env) => {
    expect((await cli(['help'], { terminal: true, env })).stdout).not.toContain(coloured);
    expect((await cli(['nothing'], { terminal: true, env })).stderr).not.toContain(coloured);
  });

  test('none in a file, and none in JSON', async () => {
    expect((await cli(['help'])).stdout).not.toContain(coloured);
    expect((await cli(['version', '--json'], { terminal: true })).stdout).not.toContain(coloured);
  });

  test('the text is the same', async () => {
    const { stdout } = await cli(['help', 'add'], { terminal: true });
    expect(stripVTControlCharacters(stdout)).toBe((await cli(['help', 'add'])).stdout);
  });
});

describe('version', () => {
  test("is the package's", () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect(version).toBe((JSON.parse(text) as { version: string }).version);
  });

  test('and the plugins, for people and programs', async () => {
    const { stdout } = await cli(['--version'], { executablePath: '/opt/cni/bin/fairlead' });
    expect(stdout).toStartWith(`fairlead ${version}\n`);
    expect(stdout).toContain('/opt/cni/bin/fairlead');
    const json = JSON.parse((await cli(['version', '--json'])).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ version, cniVersions: [...cniVersions], executable: null });
    expect(json.plugins).toContain('bridge');
  });
});

test('a file that only root may read: what to do', async () => {
  const { adviceFor } = await import('./advice.ts');
  const io = {
    env: {},
    writeStdout: () => {},
    writeStderr: () => {},
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    executablePath: undefined,
    interrupted: () => new AbortController().signal,
  };
  const refused = new Error("EACCES: permission denied, open '/var/lib/cni/results'");
  expect(adviceFor(refused, 'list', { ...io, isRoot: false })).toBe('run it as root');
  expect(adviceFor(refused, 'list', { ...io, isRoot: true })).toBe('');
});
