/** Many ADDs at once: a node that starts again, with all its Pods. */
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { type Contender, median, runAtOnce } from './measure.ts';
import { bridgeConfig } from './networks.ts';

/** How many. */
export const atOnce = 50;

/** One contender's medians of the wall time until all have ended, in milliseconds. */
export interface WallTimes {
  readonly add: number;
  readonly del: number;
}

/** Measures both contenders turn by turn. */
export async function measureAtOnce(
  contenders: readonly Contender[],
  scratch: string,
  rounds: number,
): Promise<Map<Contender['name'], WallTimes>> {
  const times = contenders.map(() => ({ add: [] as number[], del: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const { add, del } = await measureOnce(contender, scratch, round);
      times[index]?.add.push(add);
      times[index]?.del.push(del);
    }
  }
  return new Map(
    contenders.map(({ name }, index) => {
      const { add = [], del = [] } = times[index] ?? {};
      return [name, { add: median(add), del: median(del) }];
    }),
  );
}

async function measureOnce(contender: Contender, scratch: string, round: number): Promise<WallTimes> {
  using _ = contender.measured?.();
  const namespaces = Array.from({ length: atOnce }, (_, index) => `${scratch}/once-${index}`);
  for (const path of namespaces) createNetns(path);
  try {
    const calls = namespaces.map((netns, index) => ({
      plugin: 'bridge',
      containerId: `once-${round}-${index}`,
      netns,
      config: bridgeConfig(contender, scratch, { ipMasq: true }),
    }));
    const add = await runAtOnce(
      contender,
      calls.map((call) => ({ ...call, command: 'ADD' })),
    );
    const del = await runAtOnce(
      contender,
      calls.map((call) => ({ ...call, command: 'DEL' })),
    );
    return { add, del };
  } finally {
    for (const path of namespaces) removeNetns(path);
  }
}
