/**
 * Closing a descriptor without waiting for what its closing waits for. A table of an io_uring (io_uring_setup(2)) holds the
 * file as well, and when the ring is closed, a worker of the kernel's lets go of what it holds, in its own time
 * (io_ring_exit_work, io_uring/io_uring.c).
 */
import { closeSync } from './file.ts';
import { registerFile, setUpRing } from './io-uring.ts';

/** Closes the descriptor, later where the kernel has io_uring and lets this process use it, else now. Throws SystemError. */
export function closeLater(fd: number): void {
  const { ring } = setUpRing(1);
  if (ring >= 0) registerFile(ring, fd);
  closeSync(fd);
  if (ring >= 0) closeSync(ring);
}
