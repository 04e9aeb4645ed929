/** One after the other where something is the same: a container whose ADD still runs is not deleted meanwhile. */

/** Runs jobs; one with a key only after all earlier ones with that key. */
export function turns(): <T>(key: string | undefined, job: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, job) => {
    if (key === undefined || key === '') return await job();
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(job, job);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
