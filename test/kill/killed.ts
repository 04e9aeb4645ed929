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
  await unharmed(situation);
  const calls = await unharmed(situation);
  const problems: string[] = [];
  for (const each of calls) problems.push(...(await killUntilHit(situation, each)));
  return problems;
}

/** Once without a kill: the calls. Afterwards an index of host-local's is as the plugin wants it. */
async function unharmed({ prepare, recover }: Situation): Promise<readonly Call[]> {
  using container = createContainer('victim');
  const calls = await callsOf(await prepare(container));
  await recover(container);
  return calls;
}

const attempts = 8;

/** The runtime makes calls of its own at any time, so the count may be off; and a plugin mends what the last kill left. */
async function killUntilHit(situation: Situation, wanted: Call): Promise<string[]> {
  let when = wanted.when;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { hit, problems } = await killOnce(situation, wanted.name, when);
    if (problems.length > 0 || hit?.id === wanted.id) return problems;
    when += hit === undefined ? -1 : position(wanted) - position(hit);
    await unharmed(situation);
  }
  return [`${wanted.text}\n  not hit in ${attempts} attempts`];
}

/** The how-manyth call of its name it is among the plugin's own. */
function position({ id }: Call): number {
  return Number(id.split(' ')[1]);
}

async function killOnce({ prepare, recover, except }: Situation, name: string, when: number) {
  using container = createContainer('victim');
  const before = await facts(container);
  const hit = await killAt(await prepare(container), name, when);
  const failure = await recover(container).then(
    () => [],
    (error: unknown) => [String(error)],
  );
  const wrong = [...failure, ...diff(before, await facts(container), except)];
  return { hit, problems: wrong.length === 0 ? [] : [`killed at ${hit?.text}\n  ${wrong.join('\n  ')}`] };
}
