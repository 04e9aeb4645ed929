/**
 * System calls made in another network namespace. Between the setns(2) there and the one back nothing is called but
 * native functions: running JavaScript may make the runtime start a thread (to compile it, to collect garbage), which
 * would stay in the other namespace for as long as it lives, and keep that one alive.
 */
import { tracer } from '../../lib/trace.ts';
import { ptr, read } from './ffi.ts';
import { closeSync, openSync } from './file.ts';
import { cstring, errnoAddress, type Libc, libc, SOCK_CLOEXEC, SystemError } from './libc.ts';

const CLONE_NEWNET = 0x4000_0000;
const MS_BIND = 0x1000;
const O_CLOEXEC = 0o2000000;
const EINTR = 4;

/** The namespace that the calling thread is in. */
export const ownNamespace = '/proc/thread-self/ns/net';

/** An open namespace, and its path for errors. */
interface Place {
  readonly fd: number;
  readonly path: string;
}

/** How a round trip went: what each call returned, and the error number of the first that failed. */
interface Trip {
  readonly entered: number;
  readonly result: number;
  readonly back: number;
  readonly errno: number;
}

/** socket(2) in the namespace. Returns the descriptor; throws SystemError (EINVAL of `setns` for another kind). */
export function socketIn(place: Place, domain: number, type: number, protocol: number, what: string): number {
  return travel(place, `open ${what}`, (c, errno, home) => {
    const entered = c.setns(place.fd, CLONE_NEWNET);
    if (entered < 0) return { entered, result: -1, back: 0, errno: read.i32(errno, 0) };
    const result = c.socket(domain, type | SOCK_CLOEXEC, protocol);
    const failure = result < 0 ? read.i32(errno, 0) : 0;
    const back = c.setns(home, CLONE_NEWNET);
    return { entered, result, back, errno: back < 0 ? read.i32(errno, 0) : failure };
  });
}

/** open(2) in the namespace, without creating: a file under /proc/sys/net is then that namespace's. Throws SystemError. */
export function openIn(place: Place, path: string, flags: number): number {
  const name = cstring(path);
  const pointer = ptr(name);
  return travel(place, `open ${path}`, (c, errno, home) => {
    const entered = c.setns(place.fd, CLONE_NEWNET);
    if (entered < 0) return { entered, result: -1, back: 0, errno: read.i32(errno, 0) };
    const result = c.open(pointer, flags | O_CLOEXEC, 0);
    const failure = result < 0 ? read.i32(errno, 0) : 0;
    const back = c.setns(home, CLONE_NEWNET);
    return { entered, result, back, errno: back < 0 ? read.i32(errno, 0) : failure };
  });
}

/** Makes a new namespace and binds it to the file: unshare(2), mount(2). Throws SystemError. */
export function bindNewNamespace(path: string): void {
  const [from, to, kind] = [cstring(ownNamespace), cstring(path), cstring('none')];
  const [source, target, type] = [ptr(from), ptr(to), ptr(kind)];
  const place = { path: 'a new network namespace', fd: -1 };
  travel(place, `mount ${ownNamespace} on ${path}`, (c, errno, home) => {
    const entered = c.unshare(CLONE_NEWNET);
    if (entered < 0) return { entered, result: -1, back: 0, errno: read.i32(errno, 0) };
    const result = c.mount(source, target, type, MS_BIND, null);
    const failure = result < 0 ? read.i32(errno, 0) : 0;
    const back = c.setns(home, CLONE_NEWNET);
    return { entered, result, back, errno: back < 0 ? read.i32(errno, 0) : failure };
  });
}

type RoundTrip = (c: Libc, errno: ReturnType<typeof errnoAddress>, home: number) => Trip;

function travel(place: Place, operation: string, trip: RoundTrip): number {
  if (tracer === undefined) return travelled(place, operation, trip);
  const text = `enter ${place.path}: ${operation}`;
  return tracer.span({ kind: 'netns', text }, () => travelled(place, operation, trip));
}

function travelled(place: Place, operation: string, trip: RoundTrip): number {
  const [c, address] = [libc(), errnoAddress()];
  const home = openSync(ownNamespace, 'r');
  try {
    for (;;) {
      const { entered, result, back, errno } = trip(c, address, home);
      if (entered < 0) throw new SystemError(`setns ${place.path}`, errno);
      if (back < 0) throw new SystemError('setns the original network namespace', errno);
      if (result >= 0) return result;
      if (errno !== EINTR) throw new SystemError(operation, errno);
    }
  } finally {
    closeSync(home);
  }
}
