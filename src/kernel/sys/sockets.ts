/**
 * What is seldom asked of a socket: connecting to another program's, reading an option. Apart from libc.ts, since each
 * function that is loaded costs every start.
 */
import { type Functions, load, ptr, read } from './ffi.ts';
import { closeSync } from './file.ts';
import { cstring, errnoAddress, SystemError, socket } from './libc.ts';

export { receive, send, setSocketOption, socket } from './libc.ts';

const symbols = {
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
} as const;

let loaded: Functions<typeof symbols> | undefined;

function check(operation: string, call: (c: Functions<typeof symbols>) => number): void {
  loaded ??= load('libc.so.6', symbols);
  if (call(loaded) < 0) throw new SystemError(operation, read.i32(errnoAddress(), 0));
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/**
 * Connects to the stream socket at a path, or with the name that follows `@` in the abstract namespace (unix(7)). Returns
 * the descriptor. Throws SystemError: ENOENT and ECONNREFUSED where nobody listens.
 */
export function connectUnix(path: string): number {
  const what = `connect to ${path}`;
  const fd = socket(AF_UNIX, SOCK_STREAM, 0, `socket for ${path}`);
  try {
    const isAbstract = path.startsWith('@');
    const name = cstring(path);
    if (isAbstract) name[0] = 0;
    const address = new Uint8Array(2 + name.length - (isAbstract ? 1 : 0));
    address[0] = AF_UNIX;
    address.set(name.subarray(0, address.length - 2), 2);
    check(what, (c) => c.connect(fd, ptr(address), address.length));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** getsockopt(2) into a buffer, whose content the kernel may read as well; returns the length of the answer. Throws SystemError. */
export function getSocketOption(fd: number, level: number, option: number, value: Uint8Array): number {
  const length = new Uint32Array([value.length]);
  check(`getsockopt ${level}/${option}`, (c) => c.getsockopt(fd, level, option, ptr(value), ptr(length)));
  return length[0] ?? 0;
}
