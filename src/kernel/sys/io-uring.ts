/** The system calls of io_uring(7), which the C library has no functions for. */
import { type Functions, load, ptr } from './ffi.ts';

/** The same numbers on every architecture (asm-generic/unistd.h). */
const __NR_io_uring_setup = 425;
const __NR_io_uring_enter = 426;
const __NR_io_uring_register = 427;
const IORING_REGISTER_FILES = 2;
/** In bytes: struct io_uring_params, linux/io_uring.h. */
const paramsSize = 120;

const symbols = {
  syscall: { args: ['u64', 'u64', 'u64', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
} as const;

let loaded: Functions<typeof symbols> | undefined;

function syscall(number: number, ...args: readonly [number, number, number, number]): number {
  loaded ??= load('libc.so.6', symbols);
  return loaded.syscall(number, ...args, 0, 0);
}

/** io_uring_setup(2): a ring's descriptor, and what the kernel says of it; below zero where it makes none. */
export function setUpRing(entries: number): { readonly ring: number; readonly params: Uint32Array } {
  const params = new Uint32Array(paramsSize / 4);
  return { ring: syscall(__NR_io_uring_setup, entries, ptr(params), 0, 0), params };
}

/** io_uring_register(2) of a file: the ring holds it too. */
export function registerFile(ring: number, fd: number): void {
  const files = new Int32Array([fd]);
  syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES, ptr(files), files.length);
}

/** io_uring_enter(2): hands requests over without waiting for them; returns how many the kernel took. */
export function submit(ring: number, count: number): number {
  return syscall(__NR_io_uring_enter, ring, count, 0, 0);
}
