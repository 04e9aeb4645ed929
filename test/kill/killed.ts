/** Killing a plugin at each of its kernel calls in turn, and what is left on the node when something cleaned up after it. */
import { type Container, createContainer } from '../support/container.ts';
import { diff } from '../support/node.ts';
import type { PluginCall } from '../support/plugin.ts';
import { type Call, callsOf, killAt } from './calls.ts';
import { facts } from './facts.ts';

/** One way to be killed: each time in a new container, and the node is to be as it was before `prepare`. */
export interface Situation {
  /** Makes what is there when the call begins that is to be killed, which it returns. */
  prepare(container: Container): Promise<PluginCall>;
  /** Cleans up. What it throws is told with the call. */
  recover(container: Container): Promise<unknown>;
  /** Lines of the node that may differ. */
  readonly except?: RegExp;
}

/** Kills at every call, each until it was hit. Returns what is wrong: the call as strace wrote it, and what is left. */
export async function killAtEachCall(situation: Situation): Promise<string[]> {
  // The first time may mend an index of host-local's: from the second on, the calls are always the same.
  const unharmed = [await around(situation, callsOf), await around(situation, callsOf)];
  const problems = unharmed.flatMap(({ wrong }) =>
    wrong.length > 0 ? [told('not killed at all', wrong)] : [],
  );
  for (const each of unharmed[1]?.value ?? []) problems.push(...(await killUntilHit(situation, each)));
  return problems;
}

/** Runs the call in some way and cleans up: what the way returned, and what is left. */
async function around<T>({ prepare, recover, except }: Situation, run: (call: PluginCall) => Promise<T>) {
  using container = createContainer('victim');
  const before = await facts(container);
  const value = await run(await prepare(container));
  const failure = await recover(container).then(
    () => [],
    (error: unknown) => [String(error)],
  );
  return { value, wrong: [...failure, ...diff(before, await facts(container), except)] };
}

function told(what: string, wrong: readonly string[]): string {
  return [what, ...wrong].join('\n  ');
}

const attempts = 8;

/** The runtime makes calls of its own at any time, so the count may be off; and a plugin mends what the last kill left. */
async function killUntilHit(situation: Situation, wanted: Call): Promise<string[]> {
  let when = wanted.when;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { value: hit, wrong } = await around(situation, (call) => killAt(call, wanted.name, when));
    if (wrong.length > 0) return [told(`killed at ${hit?.text}`, wrong)];
    if (hit?.id === wanted.id) return [];
    when += hit === undefined ? -1 : position(wanted) - position(hit);
    await around(situation, callsOf);
  }
  return [told(wanted.text, [`not hit in ${attempts} attempts`])];
}

/** The how-manyth call of its name it is among the plugin's own. */
function position({ id }: Call): number {
  return Number(id.split(' ')[1]);
}
