/** A stream to a daemon of this node: unix(7). Reading waits, so that a plugin needs no event loop for it. */
import { bytesFromText } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import { closeSync, writeSync } from '../sys/file.ts';
import { receive, SystemError, setSocketOption, socket } from '../sys/libc.ts';
import { connectSocket } from '../sys/socket.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
/** sizeof sun_path, linux/un.h, with its NUL. */
const pathSize = 108;

/** An open stream. `using` closes it. */
export interface UnixStream extends Disposable {
  /** Sends all of it. Throws SystemError: EPIPE, ECONNRESET, and EAGAIN where the other end takes nothing in time. */
  write(bytes: Uint8Array): void;
  /** What comes next; empty at the stream's end. Throws SystemError: ETIMEDOUT where nothing comes in time. */
  read(): Uint8Array;
  /** How long reading and writing wait from now on, in milliseconds. */
  setTimeout(ms: number): void;
}

/**
 * Connects to the socket at a path. Throws SystemError: ENOENT and ECONNREFUSED where nobody listens, ENAMETOOLONG for a
 * path that a socket cannot have.
 */
export function connectUnix(path: string, timeoutMs: number): UnixStream {
  const name = bytesFromText(path);
  if (name.length >= pathSize || name.includes(0))
    throw new SystemError(`connect ${path}`, errnoNumber('ENAMETOOLONG'));
  const fd = socket(AF_UNIX, SOCK_STREAM, 0, 'unix socket');
  const setTimeout = (ms: number) => {
    const timeval = new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt((ms % 1000) * 1000)]);
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO])
      setSocketOption(fd, SOL_SOCKET, option, new Uint8Array(timeval.buffer));
  };
  try {
    setTimeout(timeoutMs);
    const address = new Uint8Array(2 + pathSize);
    address[0] = AF_UNIX;
    address.set(name, 2);
    connectSocket(fd, address, path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    write(bytes) {
      for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
    },
    read: () => readSome(fd, path),
    setTimeout,
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function readSome(fd: number, path: string): Uint8Array {
  const buffer = new Uint8Array(16 * 1024);
  try {
    return buffer.subarray(0, receive(fd, buffer, 0));
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EAGAIN') throw error;
    throw new SystemError(`wait for an answer on ${path}`, errnoNumber('ETIMEDOUT'));
  }
}
