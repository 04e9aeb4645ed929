/** ioctl(2), apart from libc.ts: few plugins make one, and each function that is loaded costs time at a start. */
import { load, ptr } from './ffi.ts';
import { check } from './libc.ts';

function loadIoctl() {
  return load('libc.so.6', { ioctl: { args: ['i32', 'u64', 'u64'], returns: 'i32' } }).ioctl;
}

let loaded: ReturnType<typeof loadIoctl> | undefined;

/** ioctl(2) with a number, or with a structure, in which the kernel may write. `operation` is for errors. Throws SystemError. */
export function ioctl(operation: string, fd: number, request: number, argument: number | Uint8Array): void {
  loaded ??= loadIoctl();
  const call = loaded;
  check(operation, () => call(fd, request, typeof argument === 'number' ? argument : ptr(argument)));
}
