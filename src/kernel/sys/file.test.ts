import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import * as node from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closeSync,
  constants,
  existsSync,
  fileSystemType,
  fstatSync,
  linkSync,
  lstatIfThere,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  removeFile,
  renameSync,
  setTimes,
  statIfThere,
  writeFileSync,
  writeSync,
} from './file.ts';

let directory: string;
const at = (name: string) => join(directory, name);
const codeOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

beforeEach(() => {
  directory = node.mkdtempSync(join(tmpdir(), 'fairlead-file-'));
});
afterEach(() => {
  node.rmSync(directory, { recursive: true, force: true });
});

test('the flags are those of node:fs', () => {
  for (const [name, value] of Object.entries(constants)) {
    expect(`${name} ${value}`).toBe(`${name} ${node.constants[name as keyof typeof node.constants]}`);
  }
});

describe('reading and writing', () => {
  test.each(['', 'short', 'ä€😀\n', 'x'.repeat(4096), 'y'.repeat(100_001)])('a text comes back', (text) => {
    writeFileSync(at('a'), text, { mode: 0o640 });
    expect(node.readFileSync(at('a'), 'utf8')).toBe(text);
    expect(readFileSync(at('a'), 'utf8')).toBe(text);
    expect(node.statSync(at('a')).mode & 0o777).toBe(0o640);
  });

  test('a file of /proc, which says that it has no bytes, is read whole', () => {
    expect(readFileSync('/proc/self/mounts', 'utf8')).toBe(node.readFileSync('/proc/self/mounts', 'utf8'));
  });

  test('a shorter text replaces a longer one', () => {
    writeFileSync(at('a'), 'longer', { mode: 0o600 });
    writeFileSync(at('a'), 'x', { mode: 0o600 });
    expect(node.readFileSync(at('a'), 'utf8')).toBe('x');
  });

  test('reading at a position leaves the file where it stands', () => {
    node.writeFileSync(at('a'), '0123456789');
    const fd = openSync(at('a'), 'r');
    const buffer = new Uint8Array(4);
    expect(readSync(fd, buffer, 1, 3, 5)).toBe(3);
    expect([...buffer]).toEqual([0, 53, 54, 55]);
    expect(readSync(fd, buffer, 0, 2, null)).toBe(2);
    expect([...buffer]).toEqual([48, 49, 54, 55]);
    closeSync(fd);
  });

  test('errors have the code of node:fs and name the path', () => {
    for (const [call, theirs] of [
      [() => readFileSync(at('none'), 'utf8'), () => node.readFileSync(at('none'), 'utf8')],
      [() => readFileSync(directory, 'utf8'), () => node.readFileSync(directory, 'utf8')],
      [() => openSync(`${at('a')}/b/c`, 'wx'), () => node.openSync(`${at('a')}/b/c`, 'wx')],
      [() => readdirSync(at('none')), () => node.readdirSync(at('none'))],
      [() => mkdirSync(directory), () => node.mkdirSync(directory)],
    ] as const) {
      expect(codeOf(call)).toBe(codeOf(theirs));
      expect(call).toThrow(directory);
    }
    expect(() => openSync('a\0b', 'r')).toThrow('NUL');
  });

  test('a full disk is told', () => {
    expect(() => writeFileSync('/dev/full', 'x', { mode: 0o600 })).toThrow('write /dev/full');
    const fd = openSync('/dev/full', constants.O_WRONLY);
    expect(codeOf(() => writeSync(fd, 'x'))).toBe('ENOSPC');
    closeSync(fd);
  });

  test('exclusive creation refuses a file that is there', () => {
    closeSync(openSync(at('a'), 'wx', 0o600));
    expect(codeOf(() => openSync(at('a'), 'wx', 0o600))).toBe('EEXIST');
  });
});

describe('looking', () => {
  test('what is known of a file is what node:fs knows', () => {
    node.writeFileSync(at('a'), 'four');
    node.symlinkSync('a', at('l'));
    const theirs = node.statSync(at('a'), { bigint: true });
    const { dev, birthNs, ...ours } = statIfThere(at('a')) ?? {};
    expect(ours).toEqual({
      ino: theirs.ino,
      size: 4,
      uid: Number(theirs.uid),
      mode: Number(theirs.mode) & 0o7777,
      mtimeNs: theirs.mtimeNs,
      kind: 'file',
    });
    expect(birthNs).toBe(theirs.birthtimeNs);
    expect(dev).toBe(lstatIfThere(directory)?.dev);
    expect(lstatIfThere(at('l'))?.kind).toBe('link');
    expect(statIfThere(at('l'))?.ino).toBe(theirs.ino);
    expect(statIfThere(directory)?.kind).toBe('directory');
    expect(statIfThere('/dev/null')?.kind).toBe('other');
    const fd = openSync(at('a'), 'r');
    expect(fstatSync(fd).ino).toBe(theirs.ino);
    closeSync(fd);
  });

  test('nothing there', () => {
    node.symlinkSync('nowhere', at('l'));
    expect(statIfThere(at('l'))).toBeUndefined();
    expect(lstatIfThere(at('l'))?.kind).toBe('link');
    expect([existsSync(at('none')), existsSync(at('l')), existsSync(directory)]).toEqual([
      false,
      false,
      true,
    ]);
    node.writeFileSync(at('a'), '');
    expect(codeOf(() => statIfThere(`${at('a')}/b`))).toBe('ENOTDIR');
    expect(existsSync(`${at('a')}/b`)).toBe(false);
  });

  test('file systems by their type', () => {
    const PROC_SUPER_MAGIC = 0x9fa0;
    expect(fileSystemType('/proc')).toBe(PROC_SUPER_MAGIC);
    expect(fileSystemType(directory)).toBe(Number(node.statfsSync(directory).type));
  });

  test('a large directory is listed whole', () => {
    const names = Array.from({ length: 1500 }, (_, index) => `file-with-a-rather-long-name-${index}`);
    for (const name of names) node.writeFileSync(at(name), '');
    node.mkdirSync(at('ä'));
    expect(readdirSync(directory).sort()).toEqual([...names, 'ä'].sort());
  });
});

describe('changing', () => {
  test('directories', () => {
    mkdirSync(at('a/b/c'), { recursive: true, mode: 0o750 });
    mkdirSync(at('a/b/c'), { recursive: true });
    expect(node.statSync(at('a/b')).mode & 0o777).toBe(0o750);
    node.writeFileSync(at('f'), '');
    expect(codeOf(() => mkdirSync(at('f'), { recursive: true }))).toBe('EEXIST');
    expect(codeOf(() => mkdirSync(at('f/x'), { recursive: true }))).toBe('ENOTDIR');
    expect(codeOf(() => mkdirSync(at('x/y')))).toBe('ENOENT');
  });

  test('names', () => {
    node.writeFileSync(at('a'), '1');
    linkSync(at('a'), at('b'));
    expect(codeOf(() => linkSync(at('a'), at('b')))).toBe('EEXIST');
    renameSync(at('b'), at('c'));
    removeFile(at('a'));
    removeFile(at('a'));
    expect(readdirSync(directory)).toEqual(['c']);
    expect(codeOf(() => removeFile(directory))).toBe('EISDIR');
  });

  test('times, to the nanosecond', () => {
    node.writeFileSync(at('a'), '1');
    setTimes(at('a'), 1_700_000_000_123_456_789n);
    expect(node.statSync(at('a'), { bigint: true }).mtimeNs).toBe(1_700_000_000_123_456_789n);
  });
});
