/** Killing a plugin at each of its kernel calls in turn, and what is left on the node when something cleaned up after it. */
import { type Container, createContainer } from '../support/container.ts';
import { diff, type Snapshot } from '../support/node.ts';
import type { PluginCall } from '../support/plugin.ts';
import { type Call, callsOf, killAt, position } from './calls.ts';
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

/** Kills at every call that can change something, each until it was hit. Returns what is wrong: the call as strace wrote it, and what is left. */
export async function killAtEachCall(situation: Situation): Promise<string[]> {
  const around = await observer(situation);
  // The first time may mend an index of host-local's: from the second on, the calls are always the same.
  const unharmed = [await around(callsOf), await around(callsOf)];
  const problems = unharmed.flatMap(({ wrong }) =>
    wrong.length > 0 ? [told('not killed at all', wrong)] : [],
  );
  for (const each of unharmed[1]?.value ?? []) problems.push(...(await killUntilHit(around, each)));
  return problems;
}

/** Runs the call in some way in a new container and cleans up: what the way returned, and what is left. */
type Around = <T>(run: (call: PluginCall) => Promise<T>) => Promise<{ value: T; wrong: string[] }>;

/** What one round left is what the next one found: the node is looked at once a round, and each is blamed for its own only. */
async function observer({ prepare, recover, except }: Situation): Promise<Around> {
  let before = await factsAtFirst();
  return async (run) => {
    using container = createContainer('victim');
    const value = await run(await prepare(container));
    const failure = await recover(container).then(
      () => [],
      (error: unknown) => [String(error)],
    );
    const after = await facts(container);
    const left = diff(before, after, except);
    before = left.length === 0 ? before : after;
    return { value, wrong: [...failure, ...left] };
  };
}

/** The node with a container that nothing was done to. */
async function factsAtFirst(): Promise<Snapshot> {
  using container = createContainer('victim');
  return await facts(container);
}

function told(what: string, wrong: readonly string[]): string {
  return [what, ...wrong].join('\n  ');
}

const attempts = 8;

/** The runtime makes calls of its own at any time, so the count may be off; and a plugin mends what the last kill left. */
async function killUntilHit(around: Around, wanted: Call): Promise<string[]> {
  let when = wanted.when;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { value: hit, wrong } = await around((call) => killAt(call, wanted.name, when));
    if (wrong.length > 0) return [told(`killed at ${hit?.text}`, wrong)];
    if (hit?.id === wanted.id) return [];
    when += hit === undefined ? -1 : position(wanted) - position(hit);
    await around(callsOf);
  }
  return [told(wanted.text, [`not hit in ${attempts} attempts`])];
}
