/** From this call on, the first signal of those that ask a process to end only says so; the second one ends it. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new Error(`interrupted by ${name}`)));
  return controller.signal;
}
