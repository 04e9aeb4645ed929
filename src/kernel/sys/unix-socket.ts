/** A stream to a server on this node: unix(7). */
import { bytesFromText } from '../../lib/bytes.ts';
import { type Functions, load, ptr, read } from './ffi.ts';
import { closeSync } from './file.ts';
import { errnoAddress, libc, SOCK_CLOEXEC } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** Apart from libc.ts and sockets.ts: a plugin's start calls this one, and no more. */
const symbols = { connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' } } as const;

let loaded: Functions<typeof symbols> | undefined;

/**
 * Connects to the stream socket at a path, or with the name that follows `@` in the abstract namespace. Returns the
 * descriptor, or the error number below zero: ENOENT and ECONNREFUSED where nobody listens, which is often no error.
 * `flags` are those of socket(2), besides SOCK_CLOEXEC.
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
