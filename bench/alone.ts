/** Each plugin by itself: how much of a call is the runtime's start, and how much is the plugin's own. */
import { existsSync } from 'node:fs';
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import type { Floor } from './floor.ts';
import {
  addChain,
  type Contender,
  delChain,
  type Measured,
  mean,
  median,
  run,
  withResult,
} from './measure.ts';
import { master, type Single, singles } from './networks.ts';
import type { Alone, AloneCall } from './rows.ts';

const verbs = ['ADD', 'DEL'] as const;

/** The most that a plugin may compute beyond the empty start, in milliseconds. */
const goal = 3;

/** Measures every plugin that this kernel has the kind of link for, the contenders turn by turn. */
export function measureAlone(
  { fairlead, served, reference }: Readonly<Record<Contender['name'], Contender>>,
  scratch: string,
  rounds: number,
  floor: Floor,
): Alone[] {
  ip('link', 'add', master, 'up', 'type', 'veth', 'peer', 'name', `${master}p`);
  try {
    return singles(fairlead, scratch)
      .filter(({ kind }) => kind === undefined || hasKind(kind))
      .map(({ plugin }) => {
        const isTheirs = existsSync(`${reference.bin}/${plugin}`);
        const contenders = [fairlead, served, ...(isTheirs ? [reference] : [])];
        const measured = measureOne(plugin, contenders, scratch, rounds);
        const calls = verbs.map((verb, index) =>
          callOf(
            verb,
            measured.map((of) => of[index] ?? []),
            floor,
          ),
        );
        return { plugin, goal, calls };
      });
  } finally {
    ip('link', 'delete', master);
  }
}

/** For each contender, and of it for each verb, what each round took. */
function measureOne(
  plugin: string,
  beside: readonly Contender[],
  scratch: string,
  rounds: number,
): Measured[][][] {
  const taken = beside.map(() => verbs.map((): Measured[] => []));
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of beside.entries()) {
      const single = singles(contender, scratch).find((one) => one.plugin === plugin);
      if (single === undefined) throw new Error(`no configuration for ${plugin}`);
      const once = measureOnce(single, contender, scratch, round);
      if (round < 0) continue; // it makes the bridge
      for (const [verb, measured] of once.entries()) taken[index]?.[verb]?.push(measured);
    }
  }
  return taken;
}

function measureOnce(
  { plugin, before, config }: Single,
  contender: Contender,
  scratch: string,
  round: number,
): readonly [Measured, Measured] {
  using _ = contender.measured?.();
  const netns = `${scratch}/ns`;
  createNetns(netns);
  try {
    const call = { containerId: `alone-${round + 1}`, netns };
    const { result } = addChain(contender, before, call);
    const added = run(contender, { ...call, plugin, command: 'ADD', config: withResult(config, result) });
    const last = added.output === '' ? result : JSON.parse(added.output);
    const deleted = run(contender, { ...call, plugin, command: 'DEL', config: withResult(config, last) });
    delChain(contender, before, call, last);
    return [added, deleted];
  } finally {
    removeNetns(netns);
  }
}

function callOf(
  verb: (typeof verbs)[number],
  [ours = [], served = [], theirs]: readonly (readonly Measured[])[],
  { emptyStart, emptyUser }: Floor,
): AloneCall {
  const time = (of: readonly Measured[]) => median(of.map(({ ms }) => ms));
  const computed = (of: readonly Measured[]) => mean(of.map(({ userMs }) => userMs));
  const ms = time(ours);
  return {
    verb,
    fairlead: ms,
    beyondStart: ms - emptyStart,
    computing: Math.max(0, computed(ours) - emptyUser),
    served: { ms: time(served), computing: computed(served) },
    ...(theirs !== undefined && { reference: time(theirs) }),
  };
}

/** Whether the kernel has links of a kind: one is asked for. */
function hasKind(kind: string): boolean {
  const parent = ['dummy', 'vrf'].includes(kind) ? [] : ['link', master];
  const more = { vlan: ['id', '9'], vrf: ['table', '9'] }[kind] ?? [];
  const made = ip('link', 'add', ...parent, 'name', 'bench-probe', 'type', kind, ...more);
  if (made) ip('link', 'delete', 'bench-probe');
  return made;
}

function ip(...args: readonly string[]): boolean {
  return Bun.spawnSync(['ip', ...args], { stderr: 'ignore' }).exitCode === 0;
}
