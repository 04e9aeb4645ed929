/**
 * The file operations of a plugin's way, named and behaving as those of node:fs, but by libc: loading node:fs would
 * be a good part of every start. Errors are SystemErrors, whose `code` is the one that node:fs errors have. What is seldom
 * needed is node:fs's business, loaded where it is (`process.getBuiltinModule`).
 */
import { bytesFromText, doubled, textFromBytes } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import { ptr } from './ffi.ts';
import { check, cstring, SystemError } from './libc.ts';

/** open(2)'s flags, linux/fcntl.h (asm-generic/fcntl.h). */
export const constants = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: process.arch === 'arm64' ? 0o40000 : 0o200000,
  O_NOFOLLOW: process.arch === 'arm64' ? 0o100000 : 0o400000,
} as const;
const O_CLOEXEC = 0o2000000;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY } = constants;
const textFlags = { r: O_RDONLY, w: O_WRONLY | O_CREAT | O_TRUNC, wx: O_WRONLY | O_CREAT | O_EXCL };

/** Opens a file; never passed on to other programs. Returns the descriptor. Throws SystemError. */
export function openSync(path: string, flags: number | keyof typeof textFlags, mode = 0o666): number {
  const bits = typeof flags === 'number' ? flags : textFlags[flags];
  const name = cstring(path);
  return check(`open ${path}`, (c) => c.open(ptr(name), bits | O_CLOEXEC, mode));
}

/** Closes a descriptor. Throws SystemError. */
export function closeSync(fd: number): void {
  check('close', (c) => c.close(fd));
}

/** Reads up to `length` bytes into the buffer; 0 at the end. `position` null is where the file stands. Throws SystemError. */
export function readSync(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
): number {
  if (length === 0) return 0;
  const into = ptr(buffer, offset);
  if (position === null) return check('read', (c) => c.read(fd, into, length));
  return check('read', (c) => c.pread(fd, into, length, position));
}

/** Writes once and returns how many bytes were taken. Throws SystemError. */
export function writeSync(fd: number, content: string | Uint8Array): number {
  const bytes = typeof content === 'string' ? bytesFromText(content) : content;
  return bytes.length === 0 ? 0 : check('write', (c) => c.write(fd, ptr(bytes), bytes.length));
}

/** A file's whole text, read as UTF-8. Throws SystemError. */
export function readFileSync(path: string, _encoding: 'utf8'): string {
  const fd = openSync(path, O_RDONLY);
  try {
    return readText(fd, path);
  } finally {
    closeSync(fd);
  }
}

/** The rest of an open file's text, read as UTF-8; its path is for errors. Throws SystemError. */
export function readText(fd: number, path: string): string {
  let buffer = new Uint8Array(4096);
  let used = 0;
  for (;;) {
    const count = explain(path, () => readSync(fd, buffer, used, buffer.length - used, null));
    if (count === 0) return textFromBytes(buffer.subarray(0, used));
    used += count;
    if (used === buffer.length) buffer = doubled(buffer);
  }
}

/** Creates or overwrites a file. Throws SystemError; a file that could not be written whole is left as far as it came. */
export function writeFileSync(path: string, content: string, options: { readonly mode: number }): void {
  const fd = openSync(path, 'w', options.mode);
  try {
    let rest: Uint8Array = bytesFromText(content);
    while (rest.length > 0) rest = rest.subarray(explain(path, () => writeSync(fd, rest)));
  } finally {
    closeSync(fd);
  }
}

/** What is known of a file. */
export interface FileStat {
  /** The device and inode: together the file's identity. */
  readonly dev: string;
  readonly ino: bigint;
  readonly size: number;
  /** The owner's user id. */
  readonly uid: number;
  /** Permissions, 0–0o7777. */
  readonly mode: number;
  /** The last change of the content, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** When the file was made, likewise; 0 where the file system does not keep it. */
  readonly birthNs: bigint;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

const S_IFMT = 0xf000;

/** S_IFREG, S_IFDIR and S_IFLNK, linux/stat.h. */
function kindOf(mode: number): FileStat['kind'] {
  switch (mode & S_IFMT) {
    case 0x8000:
      return 'file';
    case 0x4000:
      return 'directory';
    case 0xa000:
      return 'link';
    default:
      return 'other';
  }
}

/** STATX_BASIC_STATS and STATX_BTIME. */
const wanted = 0xfff;

/** statx(2), struct statx of linux/stat.h. */
function statx(what: string, directory: number, path: string, flags: number): FileStat {
  const name = cstring(path);
  const buffer = new Uint8Array(256);
  check(`stat ${what}`, (c) => c.statx(directory, ptr(name), flags, wanted, ptr(buffer)));
  const view = new DataView(buffer.buffer);
  const mode = view.getUint16(28, true);
  return {
    dev: `${view.getUint32(136, true)}:${view.getUint32(140, true)}`,
    ino: view.getBigUint64(32, true),
    size: Number(view.getBigUint64(40, true)),
    uid: view.getUint32(20, true),
    mode: mode & 0o7777,
    mtimeNs: timestamp(view, 112),
    birthNs: timestamp(view, 80),
    kind: kindOf(mode),
  };
}

/** struct statx_timestamp. */
function timestamp(view: DataView, offset: number): bigint {
  return view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;

/** The file at a path, links followed; undefined where there is none. Throws SystemError for anything else. */
export function statIfThere(path: string): FileStat | undefined {
  return ifThere(() => statx(path, AT_FDCWD, path, 0));
}

/** Whether two paths lead to the same file, links followed; not where there is none. Throws SystemError. */
export function isSameFile(path: string, other: string): boolean {
  const [one, two] = [statIfThere(path), statIfThere(other)];
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev;
}

/** Which file is at a path, links followed, as a text that no other file has. Throws SystemError. */
export function fileIdentity(path: string): string {
  const name = cstring(path);
  const words = new Uint32Array(64);
  check(`stat ${path}`, (c) => c.statx(AT_FDCWD, ptr(name), 0, wanted, ptr(words)));
  return identityOfStatx(words);
}

/** What `fileIdentity` makes of a struct statx, for whoever got one from another process. */
export function identityOfStatx(words: Uint32Array): string {
  // stx_ino, stx_dev_major, stx_dev_minor.
  return `${words[8]}.${words[9]}.${words[34]}.${words[35]}`;
}

/** As `statIfThere`, but a symbolic link is what is looked at. */
export function lstatIfThere(path: string): FileStat | undefined {
  return ifThere(() => statx(path, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
}

/** The file behind a descriptor. Throws SystemError. */
export function fstatSync(fd: number): FileStat {
  return statx(`descriptor ${fd}`, fd, '', AT_EMPTY_PATH);
}

/** Whether there is anything at a path, links followed. Never throws. */
export function existsSync(path: string): boolean {
  try {
    return statIfThere(path) !== undefined;
  } catch {
    return false;
  }
}

/** The type of the file system that a path is on: a magic number of linux/magic.h. Throws SystemError. */
export function fileSystemType(path: string): number {
  const name = cstring(path);
  const buffer = new Uint8Array(256);
  check(`statfs ${path}`, (c) => c.statfs(ptr(name), ptr(buffer)));
  return new DataView(buffer.buffer).getUint32(0, true);
}

/** Creates a directory; with `recursive` those above it too, and one that is there is no error. Throws SystemError. */
export function mkdirSync(
  path: string,
  { mode = 0o777, recursive = false }: { readonly mode?: number; readonly recursive?: boolean } = {},
): void {
  const name = cstring(path);
  try {
    check(`mkdir ${path}`, (c) => c.mkdir(ptr(name), mode));
  } catch (error) {
    if (!recursive || !(error instanceof SystemError)) throw error;
    if (error.code === 'EEXIST' && statIfThere(path)?.kind === 'directory') return;
    const above = path.slice(0, path.lastIndexOf('/'));
    if (error.code !== 'ENOENT' || above === '') throw error;
    mkdirSync(above, { mode, recursive });
    mkdirSync(path, { mode, recursive });
  }
}

/** Renames a file, over another one if there is one. Throws SystemError. */
export function renameSync(from: string, to: string): void {
  const [a, b] = [cstring(from), cstring(to)];
  check(`rename ${from} to ${to}`, (c) => c.rename(ptr(a), ptr(b)));
}

/** Gives a file another name; EEXIST if that is taken. Throws SystemError. */
export function linkSync(existing: string, path: string): void {
  const [a, b] = [cstring(existing), cstring(path)];
  check(`link ${existing} to ${path}`, (c) => c.link(ptr(a), ptr(b)));
}

/** Removes a file; none is as good. Throws SystemError. */
export function removeFile(path: string): void {
  const name = cstring(path);
  ifThere(() => check(`unlink ${path}`, (c) => c.unlink(ptr(name))));
}

/** Removes a file, or a directory with everything in it; nothing there is as good. Throws node:fs's errors. */
export function removeTree(path: string): void {
  process.getBuiltinModule('node:fs').rmSync(path, { recursive: true, force: true });
}

/** Sets both times of a file, in nanoseconds since 1970. Throws SystemError. */
export function setTimes(path: string, ns: bigint): void {
  const name = cstring(path);
  const time = [ns / 1_000_000_000n, ns % 1_000_000_000n];
  const times = new BigInt64Array([...time, ...time]);
  check(`utimensat ${path}`, (c) => c.utimensat(AT_FDCWD, ptr(name), ptr(times), 0));
}

/** The names in a directory, without `.` and `..`, in no order. Throws SystemError. */
export function readdirSync(path: string): string[] {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    const names: string[] = [];
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const length = check(`read directory ${path}`, (c) => c.getdents64(fd, ptr(buffer), buffer.length));
      if (length === 0) return names.filter((name) => name !== '.' && name !== '..');
      readEntries(buffer.subarray(0, length), names);
    }
  } finally {
    closeSync(fd);
  }
}

/** struct linux_dirent64, getdents(2): the entry's length at offset 16, the name at 19. */
function readEntries(entries: Buffer, names: string[]): void {
  for (let at = 0; at < entries.length; at += entries.readUInt16LE(at + 16)) {
    names.push(entries.toString('utf8', at + 19, entries.indexOf(0, at + 19)));
  }
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SystemError && error.errno === errnoNumber('ENOENT')) return undefined;
    throw error;
  }
}

/** A descriptor's calls do not know its path, which is what a person needs. */
function explain<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) throw new SystemError(`${error.operation} ${path}`, error.errno);
    throw error;
  }
}
