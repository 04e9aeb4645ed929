/** A stream to a server on this node: unix(7). */
import { bytesFromText, doubled, textFromBytes } from '../../lib/bytes.ts';
import { type Functions, load, ptr, read } from './ffi.ts';
import { closeSync } from './file.ts';
import { check, errnoAddress, libc, SOCK_CLOEXEC, SystemError, setSocketOption } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_NOSIGNAL = 0x4000;

/** Apart from libc.ts and sockets.ts: a plugin's start calls this one, and no more. */
const symbols = { connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' } } as const;

let loaded: Functions<typeof symbols> | undefined;

/**
 * Connects to the stream socket at a path, or with the name that follows `@` in the abstract namespace. Returns the
 * descriptor, or the error number below zero: ENOENT and ECONNREFUSED where nobody listens. Does not throw, since the usual
 * start of a plugin finds nobody. `flags` are those of socket(2), besides SOCK_CLOEXEC.
 */
export function connectUnix(path: string, flags = 0): number {
  const { socket } = libc();
  loaded ??= load('libc.so.6', symbols);
  // struct sockaddr_un of linux/un.h: the family, then the path with a NUL; an abstract name begins with one and has all bytes.
  const isAbstract = path.startsWith('@');
  const name = bytesFromText(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  const address = new Uint8Array(2 + name.length);
  address[0] = AF_UNIX;
  address.set(name, 2);
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd >= 0 && loaded.connect(fd, ptr(address), address.length) === 0) return fd;
  const errno = read.i32(errnoAddress(), 0);
  if (fd >= 0) closeSync(fd);
  return -errno;
}

/** Sends all of a text. Throws SystemError. */
export function sendText(fd: number, text: string): void {
  let rest: Uint8Array = bytesFromText(text);
  while (rest.length > 0) {
    const bytes = rest;
    rest = rest.subarray(check('send', (c) => c.send(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL)));
  }
}

/**
 * Receives the text before a NUL; undefined where the other side ends first, or is silent for `waitMs` (for ever if 0).
 * What follows the NUL is lost: one text at a time.
 */
export function receiveText(fd: number, waitMs: number): string | undefined {
  // struct timeval: seconds, microseconds.
  const patience = new BigInt64Array([BigInt(Math.trunc(waitMs / 1000)), BigInt((waitMs % 1000) * 1000)]);
  setSocketOption(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(patience.buffer));
  let buffer = new Uint8Array(16 * 1024);
  let length = 0;
  for (;;) {
    const count = receiveSome(fd, buffer.subarray(length));
    if (count === 0) return undefined;
    length += count;
    if (buffer[length - 1] === 0) return textFromBytes(buffer.subarray(0, length - 1));
    if (length === buffer.length) buffer = doubled(buffer);
  }
}

/** 0 at the end, however it came. */
function receiveSome(fd: number, into: Uint8Array): number {
  try {
    return check('receive', (c) => c.recv(fd, ptr(into), into.length, 0));
  } catch (error) {
    if (error instanceof SystemError) return 0;
    throw error;
  }
}
