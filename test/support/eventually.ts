/** Waiting for what comes about by itself. */
import { limit } from './sandbox.ts';

/** Waits until a condition holds. @throws Error after 20 s, with the last reason */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + limit(20);
  let reason = '';
  while (Date.now() < end) {
    const held = await holds().catch((error: unknown) => {
      reason = `: ${String(error)}`;
      return false;
    });
    if (held) return;
    await Bun.sleep(20);
  }
  throw new Error(`not within 20 s: ${what}${reason}`);
}
