/** Without a server: `fairlead-call` is as good as the `fairlead` beside it. With one: test/serve. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { serveSocket } from '../message.ts';
import { callerProgram } from './program.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-caller-`);
  write('fairlead-call', callerProgram());
  symlinkSync('fairlead-call', `${directory}/bridge`);
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(`${directory}/${name}`, content);
  chmodSync(`${directory}/${name}`, 0o755);
}

function run(argv: readonly string[], stdin = '', env: Record<string, string> = { CNI_COMMAND: 'ADD' }) {
  const child = Bun.spawnSync([`${directory}/bridge`, ...argv], { env, stdin: Buffer.from(stdin) });
  return { exitCode: child.exitCode, stdout: child.stdout.toString(), stderr: child.stderr.toString() };
}

/** Where there is a server it would be asked. */
const hindrance =
  process.arch !== 'x64'
    ? ' [skipped: it is for x86-64]'
    : existsSync(serveSocket)
      ? ' [skipped: `fairlead serve` runs on this machine]'
      : undefined;

describe.skipIf(hindrance !== undefined)(`without a server${hindrance ?? ''}`, () => {
  test('the file beside is executed: with the arguments, the environment, standard input and its exit code', () => {
    write(
      'fairlead',
      '#!/bin/sh\necho "$#" "$1" "$2"; echo "$A|$CNI_COMMAND"; cat; echo problem >&2; exit 7\n',
    );
    expect(run(['a b', ''], 'input', { CNI_COMMAND: 'ADD', A: 'ü=1' })).toEqual({
      exitCode: 7,
      stdout: '2 a b \nü=1|ADD\ninput',
      stderr: 'problem\n',
    });
    expect(run([], 'input', { A: '' })).toMatchObject({ exitCode: 7, stdout: '0  \n|\ninput' });
    expect(run([], '', {})).toMatchObject({ exitCode: 7 });
  });

  test('its name is the one that was called', () => {
    symlinkSync(process.execPath, `${directory}/fairlead`);
    write('show.js', 'console.log(process.argv0)');
    expect(run([`${directory}/show.js`]).stdout).toBe(`${directory}/bridge\n`);
  });

  test('none beside: an error that says what belongs there', () => {
    const { exitCode, stdout } = run([]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      cniVersion: '1.1.0',
      code: 5,
      msg: 'cannot execute the file `fairlead`, which belongs beside `fairlead-call`',
    });
  });
});

test('is a small file that the kernel takes', () => {
  expect(callerProgram().length).toBeLessThan(4096);
});
