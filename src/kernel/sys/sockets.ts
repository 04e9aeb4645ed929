/**
 * What is seldom asked of a socket: an address, connecting to one, reading an option, a packet filter. Apart
 * from libc.ts, since each function that is loaded costs every start.
 */
import { type Functions, load, ptr, read } from './ffi.ts';
import { errnoAddress, SystemError, setSocketOption } from './libc.ts';

export { receive, send, setSocketOption, socket } from './libc.ts';
export { connectUnix } from './unix-socket.ts';

const symbols = {
  bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
} as const;

let loaded: Functions<typeof symbols> | undefined;

function check(operation: string, call: (c: Functions<typeof symbols>) => number): void {
  loaded ??= load('libc.so.6', symbols);
  if (call(loaded) < 0) throw new SystemError(operation, read.i32(errnoAddress(), 0));
}

/** bind(2) to a socket address as the kernel has it: family first, in the host's byte order. Throws SystemError. */
export function bindSocket(fd: number, address: Uint8Array, what: string): void {
  check(`bind ${what}`, (c) => c.bind(fd, ptr(address), address.length));
}

/** connect(2), likewise. Throws SystemError. */
export function connectSocket(fd: number, address: Uint8Array, what: string): void {
  check(`connect to ${what}`, (c) => c.connect(fd, ptr(address), address.length));
}

/** getsockopt(2) into a buffer, whose content the kernel may read as well; returns the length of the answer. Throws SystemError. */
export function getSocketOption(fd: number, level: number, option: number, value: Uint8Array): number {
  const length = new Uint32Array([value.length]);
  check(`getsockopt ${level}/${option}`, (c) => c.getsockopt(fd, level, option, ptr(value), ptr(length)));
  return length[0] ?? 0;
}

/** One instruction of a classic packet filter: struct sock_filter, linux/filter.h. */
export interface FilterInstruction {
  readonly code: number;
  readonly jumpTrue?: number;
  readonly jumpFalse?: number;
  readonly k: number;
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Lets a socket receive only what the filter lets through (socket(7), SO_ATTACH_FILTER). Throws SystemError. */
export function attachFilter(fd: number, instructions: readonly FilterInstruction[]): void {
  const program = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [index, { code, jumpTrue = 0, jumpFalse = 0, k }] of instructions.entries()) {
    program.setUint16(index * 8, code, true);
    program.setUint8(index * 8 + 2, jumpTrue);
    program.setUint8(index * 8 + 3, jumpFalse);
    program.setUint32(index * 8 + 4, k, true);
  }
  const bytes = new Uint8Array(program.buffer);
  // struct sock_fprog: the number of instructions, and at the next 8 bytes where they are.
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, instructions.length, true);
  header.setBigUint64(8, BigInt(ptr(bytes)), true);
  setSocketOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(header.buffer));
}
