/** Files that replace others at once: written under a temporary name in the same directory, synced, renamed. */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';

/** What was done to a file, for people: `new`, `unchanged`, `replaced a file`, … */
export type Done = string;

/** Copies an executable (mode 0755). Throws the file system's error; nothing is left then. */
export function copyExecutable(source: string, target: string): Done {
  if (isSameFile(source, target)) return 'unchanged: it is this file';
  return writeExecutable(readFileSync(source), target);
}

/** Writes an executable (mode 0755). Throws the file system's error; nothing is left then. */
export function writeExecutable(bytes: Uint8Array, target: string): Done {
  const before = look(target);
  if (before === 'a file' && readFileSync(target).equals(bytes)) {
    chmodSync(target, 0o755);
    return 'unchanged';
  }
  replace(target, (temporary) => {
    writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o755 });
    chmodSync(temporary, 0o755);
    sync(temporary);
  });
  return before === undefined ? 'new' : `replaced ${before}`;
}

/** Makes a symbolic link to a file of the same directory. Throws the file system's error; nothing is left then. */
export function linkPlugin(to: string, target: string): Done {
  const before = look(target);
  if (before === `a link to ${to}`) return 'unchanged';
  replace(target, (temporary) => symlinkSync(to, temporary));
  return before === undefined ? `new, a link to ${to}` : `a link to ${to}, replaced ${before}`;
}

/** Throws an Error if one of the names is a directory, which cannot be replaced, before anything is done. */
export function refuseDirectories(directory: string, names: readonly string[]): void {
  const wrong = names.find((name) => look(`${directory}/${name}`) === 'a directory');
  if (wrong !== undefined) throw new Error(`${directory}/${wrong} is a directory; remove it first`);
}

/** Makes renames last over a crash of the machine. */
export function syncDirectory(directory: string): void {
  sync(directory);
}

const temporaryName = /^\.fairlead\..*\.new$/;
/** An installation takes seconds; in milliseconds. */
const surelyOver = 3_600_000;

/** Removes the temporary files of installations that were killed. */
export function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    const age = temporaryName.test(name)
      ? Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
      : 0;
    if (age > surelyOver) rmSync(path, { force: true });
  }
}

function replace(target: string, write: (temporary: string) => void): void {
  const temporary = `${dirname(target)}/.fairlead.${randomUUID()}.${basename(target)}.new`;
  try {
    write(temporary);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What is there, links not followed; undefined for nothing. */
function look(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return `a link to ${readlinkSync(path)}`;
  if (stat.isDirectory()) return 'a directory';
  return stat.isFile() ? 'a file' : 'a special file';
}

function isSameFile(a: string, b: string): boolean {
  const [first, second] = [statSync(a), lstatSync(b, { throwIfNoEntry: false })];
  return second !== undefined && first.ino === second.ino && first.dev === second.dev;
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
