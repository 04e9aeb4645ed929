/**
 * The C library's functions that Fairlead calls: sockets, namespaces, mounts and locks here, files in
 * file.ts. They are loaded at the first call.
 */
import type { Pointer } from 'bun:ffi';
import { bytesFromText } from '../../lib/bytes.ts';
import { errnoName, errnoNumber, errnoText } from '../../lib/errno.ts';
import { tracer } from '../../lib/trace.ts';
import { type Functions, load, ptr, read } from './ffi.ts';

const symbols = {
  socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  send: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i32' },
  recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i32' },
  setns: { args: ['i32', 'i32'], returns: 'i32' },
  unshare: { args: ['i32'], returns: 'i32' },
  mount: { args: ['ptr', 'ptr', 'ptr', 'u64', 'ptr'], returns: 'i32' },
  umount2: { args: ['ptr', 'i32'], returns: 'i32' },
  flock: { args: ['i32', 'i32'], returns: 'i32' },
  open: { args: ['ptr', 'i32', 'u32'], returns: 'i32' },
  close: { args: ['i32'], returns: 'i32' },
  read: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  pread: { args: ['i32', 'ptr', 'u64', 'u64'], returns: 'i32' },
  write: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  statx: { args: ['i32', 'ptr', 'i32', 'u32', 'ptr'], returns: 'i32' },
  statfs: { args: ['ptr', 'ptr'], returns: 'i32' },
  mkdir: { args: ['ptr', 'u32'], returns: 'i32' },
  rename: { args: ['ptr', 'ptr'], returns: 'i32' },
  link: { args: ['ptr', 'ptr'], returns: 'i32' },
  unlink: { args: ['ptr'], returns: 'i32' },
  utimensat: { args: ['i32', 'ptr', 'ptr', 'i32'], returns: 'i32' },
  getdents64: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
  __errno_location: { args: [], returns: 'ptr' },
} as const;

/** The functions themselves, which answer -1 for failure. */
export type Libc = Functions<typeof symbols>;

let loaded: Libc | undefined;

/** Loads the functions, once. `check` is what calls them. */
export function libc(): Libc {
  loaded ??= load('libc.so.6', symbols);
  return loaded;
}

let address: Pointer | undefined;

/** Where the main thread's errno is. */
export function errnoAddress(): Pointer {
  address ??= libc().__errno_location();
  return address;
}

/** A system call that failed: which, on what, and the kernel's error number. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** The error's name, e.g. `EBUSY`, where node:fs errors have it too. */
  readonly code: string;

  constructor(
    /** What was tried, e.g. `setns /run/netns/blue`. */
    readonly operation: string,
    /** The error number, positive, as in errno(3). */
    readonly errno: number,
  ) {
    super(`${operation}: ${errnoText(errno)} (${errnoName(errno)})`);
    this.code = errnoName(errno);
  }
}

/** The one error that means only: again. */
const EINTR = errnoNumber('EINTR');

/** Calls a function that answers -1 for failure; again where a signal interrupted it. Throws SystemError. */
export function check(operation: string, call: (c: Libc) => number): number {
  if (tracer === undefined) return checked(operation, call);
  return tracer.span({ kind: 'file', text: operation }, () => checked(operation, call));
}

function checked(operation: string, call: (c: Libc) => number): number {
  const c = libc();
  for (;;) {
    const result = call(c);
    if (result >= 0) return result;
    const errno = read.i32(errnoAddress(), 0);
    if (errno !== EINTR) throw new SystemError(operation, errno);
  }
}

/** A NUL-terminated copy; a NUL inside would cut the text short and is refused. */
export function cstring(text: string): Uint8Array {
  if (text.includes('\0')) throw new TypeError(`${JSON.stringify(text)} contains a NUL character`);
  return bytesFromText(`${text}\0`);
}

export const SOCK_CLOEXEC = 0o2000000;

/** socket(2). Returns the descriptor; throws SystemError. SOCK_CLOEXEC is always set. */
export function socket(domain: number, type: number, protocol: number, what: string): number {
  return check(`open ${what}`, (c) => c.socket(domain, type | SOCK_CLOEXEC, protocol));
}

/** setsockopt(2) with an option value of raw bytes. Throws SystemError. */
export function setSocketOption(fd: number, level: number, option: number, value: Uint8Array): void {
  check(`setsockopt ${level}/${option}`, (c) => c.setsockopt(fd, level, option, ptr(value), value.length));
}

/** send(2) of the whole message. Throws SystemError. */
export function send(fd: number, message: Uint8Array): void {
  const sent = check('send', (c) => c.send(fd, ptr(message), message.length, 0));
  if (sent !== message.length) throw new SystemError('send', errnoNumber('EMSGSIZE'));
}

/** send(2) of as much as the socket takes; EPIPE in place of a signal where the other end is gone. Returns how much. Throws SystemError. */
export function sendSome(fd: number, bytes: Uint8Array): number {
  const MSG_NOSIGNAL = 0x4000;
  return check('send', (c) => c.send(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL));
}

/** recv(2). Returns the message's real length, which with MSG_TRUNC may exceed the buffer's. Throws SystemError. */
export function receive(fd: number, buffer: Uint8Array, flags: number): number {
  return check('recv', (c) => c.recv(fd, ptr(buffer), buffer.length, flags));
}

/** setns(2): moves the calling (main) thread into the namespace that the descriptor refers to. Throws SystemError. */
export function setns(fd: number, type: number, what: string): void {
  check(`setns ${what}`, (c) => c.setns(fd, type));
}

/** unshare(2): gives the calling (main) thread new namespaces of the given CLONE_ types. Throws SystemError. */
export function unshare(flags: number): void {
  check('unshare', (c) => c.unshare(flags));
}

/** mount(2). Throws SystemError. */
export function mount(source: string, target: string, type: string, flags: number): void {
  const [from, to, kind] = [cstring(source), cstring(target), cstring(type)];
  check(`mount ${source} on ${target}`, (c) => c.mount(ptr(from), ptr(to), ptr(kind), flags, null));
}

/** umount2(2). Throws SystemError. */
export function unmount(target: string, flags: number): void {
  const path = cstring(target);
  check(`umount ${target}`, (c) => c.umount2(ptr(path), flags));
}

/**
 * flock(2) without waiting: whether the file's exclusive advisory lock is this process's now; the kernel frees it when
 * the process dies. Throws SystemError.
 */
export function tryLockExclusive(fd: number, what: string): boolean {
  const [LOCK_EX, LOCK_NB] = [2, 4];
  try {
    check(`flock ${what}`, (c) => c.flock(fd, LOCK_EX | LOCK_NB));
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EAGAIN') return false;
    throw error;
  }
}
