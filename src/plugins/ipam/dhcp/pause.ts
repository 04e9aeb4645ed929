/** Waiting that can be ended. */

/** The longest time that a timer of the runtime takes. */
const longest = 2 ** 31 - 1;

/** Waits so many milliseconds, or until the signal; the caller looks which. Never throws. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), longest));
    signal.addEventListener('abort', end);
  });
}
