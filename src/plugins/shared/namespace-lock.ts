/** One plugin at a time in a namespace: two would take the same table. The reference's sbr locks the same file. */
import { CniError } from '../../cni/index.ts';
import type { NetworkNamespace } from '../../kernel/netns/netns.ts';
import { tryLockExclusive } from '../../kernel/sys/libc.ts';

/** Longer than any holder works, shorter than runtimes wait; between two looks. In milliseconds. */
const patience = 30_000;
const pause = 5;

/** Waits for the namespace's lock, which is free again when the namespace is closed. Throws a `CniError` (11) if it takes too long. */
export async function lockNamespace({ fd, path }: NetworkNamespace): Promise<void> {
  const deadline = performance.now() + patience;
  while (!tryLockExclusive(fd, path)) {
    if (performance.now() >= deadline)
      throw new CniError(
        'tryAgainLater',
        `another process has held the lock ${path} for ${patience / 1000} s`,
      );
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
