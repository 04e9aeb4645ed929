/** What a runtime does after a plugin was killed; tests of a network for each of these. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { type Container, removeContainers } from '../support/container.ts';
import { limit } from '../support/sandbox.ts';
import {
  addUpToLast,
  attach,
  attachNeighbour,
  collect,
  delOfLast,
  detach,
  gcOf,
  type Network,
} from './chain.ts';
import { killAtEachCall, type Situation } from './killed.ts';

/** Where a network's containers cannot be alike, or leave more than a namespace. */
export interface Peculiarities {
  /** What the neighbour is attached to; the same network if left out. */
  readonly neighbour?: Network;
  /** What the kernel does where the container's namespace ends, and cannot do here. */
  end?(container: Container): Promise<void>;
  /** Waits until the kernel is done with a lost namespace, where it had what only one container can have. */
  untilFree?(): Promise<void>;
}

/** The namespace's path is gone, while something still holds the namespace: the kernel does not clean up for us. */
async function loseAndCollect(network: Network, container: Container, own: Peculiarities): Promise<void> {
  await own.end?.(container);
  const held = openSync(container.netns, 'r');
  container.remove();
  await collect(network);
  closeSync(held);
  await own.untilFree?.();
}
const lost = /^file \/run\/netns\/victim|^in the container/;

/** ADD once more works, or there is one error: something is there already. */
async function addAgain(network: Network, container: Container): Promise<void> {
  await attach(network, container).catch((error: unknown) => {
    expect(String(error)).toMatch(/ ADD: error \d+: .* already/);
  });
}

const afterAdd = (network: Network, own: Peculiarities): Readonly<Record<string, Situation>> => ({
  'ADD killed at each kernel call, then DEL': {
    prepare: (container) => addUpToLast(network, container),
    recover: (container) => detach(network, container),
  },
  'ADD killed at each kernel call, the namespace lost, then GC': {
    prepare: (container) => addUpToLast(network, container),
    recover: (container) => loseAndCollect(network, container, own),
    except: lost,
  },
  'ADD killed at each kernel call, then ADD, then DEL': {
    prepare: (container) => addUpToLast(network, container),
    async recover(container) {
      await addAgain(network, container);
      await detach(network, container);
    },
  },
});

const afterRemoval = (network: Network, own: Peculiarities): Readonly<Record<string, Situation>> => ({
  'DEL killed at each kernel call, then DEL': {
    prepare: async (container) => delOfLast(network, container, await attach(network, container)),
    recover: (container) => detach(network, container),
  },
  'GC killed at each kernel call, then GC': {
    async prepare(container) {
      await attach(network, container);
      await own.end?.(container);
      return gcOf(network);
    },
    recover: (container) => loseAndCollect(network, container, own),
    except: lost,
  },
});

/** Tests a killed ADD, beside a neighbour of the same network. */
export function testKilledAdd(network: Network, own: Peculiarities = {}): void {
  testAll(network, afterAdd(network, own), own);
}

/** Tests a killed DEL and GC, beside a neighbour of the same network. */
export function testKilledRemoval(network: Network, own: Peculiarities = {}): void {
  testAll(network, afterRemoval(network, own), own);
}

function testAll(
  network: Network,
  situations: Readonly<Record<string, Situation>>,
  { neighbour }: Peculiarities,
): void {
  beforeAll(() => attachNeighbour(network, neighbour), limit(30));
  afterAll(removeContainers);

  for (const [name, situation] of Object.entries(situations)) {
    test(`${name}: as before`, async () => expect(await killAtEachCall(situation)).toEqual([]), limit(200));
  }
}
