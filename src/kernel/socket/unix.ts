/** A stream to a daemon of this node: unix(7). Nothing here blocks the process: who waits lets others go on. */
import { bytesFromText } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import { closeSync } from '../sys/file.ts';
import { receive, SystemError, sendSome } from '../sys/libc.ts';
import { connectUnix } from '../sys/unix-socket.ts';

/** linux/net.h: O_NONBLOCK. */
const SOCK_NONBLOCK = 0o4000;
/** sizeof sun_path, linux/un.h, with its NUL. */
const pathSize = 108;

/** An open stream. `using` closes it. Waiting is bounded, in milliseconds: SystemError ETIMEDOUT says that it took longer. */
export interface UnixStream extends Disposable {
  /** Sends all of it. Throws SystemError: EPIPE, ECONNRESET. */
  write(bytes: Uint8Array, timeoutMs: number): Promise<void>;
  /** What comes next; empty at the stream's end. Throws SystemError. */
  read(timeoutMs: number): Promise<Uint8Array>;
}

/**
 * Connects to the socket at a path, or with the name after `@` in the abstract namespace. Throws SystemError: ENOENT and ECONNREFUSED where nobody listens, ENAMETOOLONG for a
 * path that a socket cannot have, ETIMEDOUT where the listener takes nobody.
 */
export async function openUnixStream(path: string, timeoutMs: number): Promise<UnixStream> {
  const name = bytesFromText(path);
  if (name.length >= pathSize || name.includes(0))
    throw new SystemError(`connect ${path}`, errnoNumber('ENAMETOOLONG'));
  const fd = await untilReady(`connect ${path}`, timeoutMs, () => connected(path));
  return {
    async write(bytes, timeout) {
      for (let rest = bytes; rest.length > 0; )
        rest = rest.subarray(await untilReady(`write to ${path}`, timeout, () => sendSome(fd, rest)));
    },
    async read(timeout) {
      const buffer = new Uint8Array(16 * 1024);
      const what = `wait for an answer on ${path}`;
      return buffer.subarray(0, await untilReady(what, timeout, () => receive(fd, buffer, 0)));
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function connected(path: string): number {
  const fd = connectUnix(path, SOCK_NONBLOCK);
  if (fd < 0) throw new SystemError(`connect to ${path}`, -fd);
  return fd;
}

/** Between two looks, in milliseconds: a daemon answers at once, or it waits for somebody itself. */
const [firstPause, longestPause] = [1, 20];

/** Tries until the call does not say EAGAIN. */
async function untilReady<T>(what: string, timeoutMs: number, call: () => T): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (let pause = firstPause; ; pause = Math.min(pause * 1.3, longestPause)) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EAGAIN') throw error;
    }
    if (performance.now() >= end) throw new SystemError(what, errnoNumber('ETIMEDOUT'));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
