/** ADD and DEL of a chain, both contenders turn by turn, a process a plugin. */
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { addChain, type Contender, delChain, median } from './measure.ts';
import type { Config } from './networks.ts';

/** One contender's medians. */
export interface ChainTimes {
  /** Milliseconds, the sum of the chain's processes. */
  readonly add: number;
  readonly del: number;
}

/** Rounds that are not counted: they warm the caches and make the bridges. */
const warmUp = 2;

/** Measures every contender in each round, in namespaces that are new each time, so that neither is favoured by what the other leaves. */
export function measureChain(
  contenders: readonly Contender[],
  scratch: string,
  rounds: number,
  chainOf: (contender: Contender, scratch: string, round: number) => readonly Config[],
): Map<Contender['name'], ChainTimes> {
  const times = contenders.map(() => ({ add: [] as number[], del: [] as number[] }));
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const once = measureOnce(contender, chainOf(contender, scratch, round), scratch, round);
      const own = times[index];
      if (own === undefined || round < warmUp) continue;
      own.add.push(once.add);
      own.del.push(once.del);
    }
  }
  return new Map(
    contenders.map(({ name }, index) => {
      const { add = [], del = [] } = times[index] ?? {};
      return [name, { add: median(add), del: median(del) }];
    }),
  );
}

function measureOnce(
  contender: Contender,
  plugins: readonly Config[],
  scratch: string,
  round: number,
): ChainTimes {
  using _ = contender.measured?.();
  const netns = `${scratch}/ns`;
  createNetns(netns);
  try {
    const call = { containerId: `bench-${round}`, netns };
    const added = addChain(contender, plugins, call);
    return { add: added.ms, del: delChain(contender, plugins, call, added.result) };
  } finally {
    removeNetns(netns);
  }
}
