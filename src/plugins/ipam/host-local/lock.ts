/**
 * The store's lock: flock(2) on the file `lock` in the store's directory, as the reference takes it, so that both
 * may work on one store. The kernel frees it when its holder dies, however that happens.
 */
import { CniError } from '../../../cni/index.ts';
import { closeSync, constants, fstatSync, openSync, readFileSync } from '../../../kernel/sys/file.ts';
import { tryLockExclusive } from '../../../kernel/sys/libc.ts';

/** Longer than any holder works, also the reference on a large store with many in line; shorter than runtimes wait. */
const patience = 60_000;

/**
 * Opens the lock's file, creating it, and waits for the lock. Returns the descriptor whose closing frees it. Throws
 * the file system's errors, and a CniError (11) that names the holder when the lock is not free in `waitMs`.
 */
export function takeLock(path: string, waitMs = patience): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
  try {
    const deadline = performance.now() + waitMs;
    while (!tryLockExclusive(fd, path)) {
      if (performance.now() >= deadline) throw stillHeld(fd, path, waitMs);
      // At random: those that wait together do not all come back together.
      sleep(0.5 + Math.random() * 3);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function stillHeld(fd: number, path: string, waitMs: number): CniError {
  const holder = holderOf(fd);
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new CniError(
    'tryAgainLater',
    `${who} has held the lock ${path} for more than ${waitMs / 1000} s`,
    'reservations can be changed when it frees the lock or ends',
  );
}

/** `PID (NAME)` of the holder, from proc_locks(5), where this process may see it. */
function holderOf(fd: number): string | undefined {
  try {
    const inode = `:${fstatSync(fd).ino}`;
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, kind, , , pid, file] = line.split(/\s+/);
      if (kind !== 'FLOCK' || pid === undefined || file?.endsWith(inode) !== true) continue;
      return `${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`;
    }
  } catch {
    // Only a name for the message; the lock is held all the same.
  }
  return undefined;
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
