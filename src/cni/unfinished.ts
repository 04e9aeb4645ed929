/** Running a verb to its very end: nothing that it began may go on, or fail, unseen. */
import { CniError, messageOf } from './error.ts';
import type { Host } from './host.ts';
import { authorsMistake } from './mistake.ts';
import type { Watch } from './watch.ts';

/** Calls of other plugins that have not ended yet, by what they are: ``ADD of plugin `host-local` ``. */
export type RunningCalls = Map<Promise<unknown>, string>;

/** Whose verb runs. */
export interface Verb {
  /** The plugin's type. */
  readonly plugin: string;
  readonly command: string;
  readonly host: Host;
  readonly running: RunningCalls;
}

/**
 * The verb's value. Throws what it throws, and a `CniError` (999) where it returned although a call of another plugin
 * still runs, or a promise that it does not wait for failed. Returns or throws only when those calls have ended.
 */
export async function toTheEnd<T>(verb: Verb, run: () => T | Promise<T>): Promise<T> {
  const watch = verb.host.watch?.();
  let outcome: { readonly value: T } | { readonly thrown: unknown };
  try {
    outcome = { value: await run() };
  } catch (thrown) {
    outcome = { thrown };
  }
  const unfinished = [...verb.running.values()];
  if (unfinished.length > 0) await Promise.allSettled(verb.running.keys());
  const rejections = watch === undefined ? [] : await rejectionsOf(watch, verb);
  if ('thrown' in outcome) throw authorsMistake(outcome.thrown, verb.plugin, verb.command);
  const subject = `${verb.command} of plugin \`${verb.plugin}\``;
  const [call] = unfinished;
  if (call !== undefined) {
    throw new CniError(
      'internal',
      `${subject} ended while its ${call} was still running`,
      'it must be awaited',
    );
  }
  if (rejections.length === 0) return outcome.value;
  throw new CniError(
    'internal',
    `${subject} began something that nobody waits for, and it failed: ${messageOf(rejections[0])}`,
    'every promise must be awaited or returned',
  );
}

async function rejectionsOf(watch: Watch, { plugin, command, host }: Verb): Promise<readonly unknown[]> {
  const { printed, rejections } = await watch.end();
  if (printed) {
    host.writeStderr(
      `plugin \`${plugin}\` printed on standard output in ${command}: that is for the result alone, so it was printed here; use console.error\n`,
    );
  }
  return rejections;
}
