/**
 * Closing a descriptor without waiting for what its closing waits for. A table of an io_uring (io_uring_setup(2)) holds the
 * file as well, and when the ring is closed, a worker of the kernel's lets go of what it holds, in its own time
 * (io_ring_exit_work, io_uring/io_uring.c).
 */
import { load, ptr } from './ffi.ts';
import { closeSync } from './file.ts';

/** System calls without a function in the C library; the same numbers on every architecture (asm-generic/unistd.h). */
const __NR_io_uring_setup = 425;
const __NR_io_uring_register = 427;
const IORING_REGISTER_FILES = 2;
/** struct io_uring_params, linux/io_uring.h. */
const paramsSize = 120;

/** Closes the descriptor, later where the kernel has io_uring and lets this process use it, else now. Throws SystemError. */
export function closeLater(fd: number): void {
  const { syscall } = load('libc.so.6', {
    syscall: { args: ['u64', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
  });
  const params = new Uint8Array(paramsSize);
  const files = new Int32Array([fd]);
  const ring = syscall(__NR_io_uring_setup, 1, ptr(params), 0, 0);
  if (ring >= 0) syscall(__NR_io_uring_register, ring, IORING_REGISTER_FILES, ptr(files), files.length);
  closeSync(fd);
  if (ring >= 0) closeSync(ring);
}
