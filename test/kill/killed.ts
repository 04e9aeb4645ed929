/** Killing a plugin at each of its kernel calls in turn, and what is left on the node when something cleaned up after it. */
import { existsSync } from 'node:fs';
import { type Container, createContainer, inNetns } from '../support/container.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import type { PluginCall } from '../support/plugin.ts';
import { type Call, callsOf, killAt } from './calls.ts';

/** One way to be killed: each time in a new container, and the node is to be as it was before `prepare`. */
export interface Situation {
  /** Makes what is there when the call begins that is to be killed, which it returns. */
  prepare(container: Container): Promise<PluginCall>;
  /** Cleans up. What it throws is told with the call. */
  recover(container: Container): Promise<unknown>;
  /** Lines of the node that may differ. */
  readonly except?: RegExp;
}

/** What was given last by host-local goes on with each ADD. */
const moving = /^file \S+\/last_reserved_ip\./;

/** A file of host-local's index: which entries there are counts, not in which order they came. */
const ofIndex = /^file (\S+\/owners\/\w+) 600 (".*")$/;

/** Lo keeps its address and its queue when it goes down. */
const ofLoopback = / 127\.0\.0\.1\/8 scope host lo/;

/** The node and, as long as it is there, the container's namespace. */
export async function facts({ netns }: Container): Promise<Snapshot> {
  const node = (await snapshot()).flatMap((line) => {
    const [, file, content] = ofIndex.exec(line) ?? [];
    if (content === undefined) return [line];
    return lines(String(JSON.parse(content))).map((entry) => `index ${file} ${entry}`);
  });
  if (!existsSync(netns)) return node;
  const list = 'ip -o link; ip -o address; ip route; ip -6 route; nft list ruleset';
  const { stdout } = await inNetns(netns, ['sh', '-c', list]);
  const inside = lines(stdout).filter((line) => !ofLoopback.test(line));
  return [...node, ...inside.map((line) => `in the container: ${line.replace(/qdisc \w+/, '')}`)];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Waits until the node does not change any more by itself: addresses of the link's scope come about two seconds late. */
export async function settled(): Promise<void> {
  for (let before = await snapshot(); ; ) {
    await Bun.sleep(2100);
    const after = await snapshot();
    if (diff(before, after).length === 0) return;
    before = after;
  }
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
  const expected = (line: string) => !moving.test(line) && !except?.test(line);
  const left = diff(before.filter(expected), (await facts(container)).filter(expected));
  const wrong = [...failure, ...left];
  return { hit, problems: wrong.length === 0 ? [] : [`killed at ${hit?.text}\n  ${wrong.join('\n  ')}`] };
}
