/** Jobs that keep the process busy at first: between two of them it looks who else has come. */

/** Begins jobs in the order in which they come, each in a turn of the event loop of its own. */
export function oneAtATime(): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let isBusy = false;

  const begin = () => {
    waiting.shift()?.();
    isBusy = waiting.length > 0;
    if (isBusy) setImmediate(begin);
  };
  return async (job) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    if (!isBusy) setImmediate(begin);
    isBusy = true;
    await promise;
    return await job();
  };
}
