/**
 * The socket calls that few plugins need: bind(2), connect(2), getsockopt(2) and classic packet filters. They are loaded
 * at the first call, so that those who do not need them do not pay for them.
 */
import { errnoNumber } from '../../lib/errno.ts';
import { type Functions, load, ptr, read } from './ffi.ts';
import { errnoAddress, SystemError, setSocketOption } from './libc.ts';

const symbols = {
  bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
} as const;

let loaded: Functions<typeof symbols> | undefined;

function call(operation: string, make: (c: Functions<typeof symbols>) => number): void {
  loaded ??= load('libc.so.6', symbols);
  while (make(loaded) < 0) {
    const errno = read.i32(errnoAddress(), 0);
    if (errno !== errnoNumber('EINTR')) throw new SystemError(operation, errno);
  }
}

/** bind(2) to a socket address as the kernel has it: family first, in the host's byte order. Throws SystemError. */
export function bindSocket(fd: number, address: Uint8Array, what: string): void {
  call(`bind ${what}`, (c) => c.bind(fd, ptr(address), address.length));
}

/** connect(2), likewise. Throws SystemError. */
export function connectSocket(fd: number, address: Uint8Array, what: string): void {
  call(`connect ${what}`, (c) => c.connect(fd, ptr(address), address.length));
}

/** getsockopt(2) into a buffer; an option that is shorter leaves its end. Throws SystemError: ENOPROTOOPT for one that the kernel has not. */
export function getSocketOption(fd: number, level: number, option: number, into: Uint8Array): void {
  const length = new Uint32Array([into.length]);
  call(`getsockopt ${level}/${option}`, (c) => c.getsockopt(fd, level, option, ptr(into), ptr(length)));
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
