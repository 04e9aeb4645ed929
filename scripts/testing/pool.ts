/** Work done a few pieces at a time. */

/** Starts the pieces in their order, never more than `width` at once, and waits for all. */
export async function pooled(width: number, pieces: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...pieces];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
