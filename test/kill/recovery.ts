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

/** The namespace's path is gone, while something still holds the namespace: the kernel does not clean up for us. */
async function loseAndCollect(network: Network, container: Container): Promise<void> {
  const held = openSync(container.netns, 'r');
  container.remove();
  await collect(network);
  closeSync(held);
}
const lost = /^file \/run\/netns\/victim|^in the container/;

/** ADD once more works, or there is one error: something is there already. */
async function addAgain(network: Network, container: Container): Promise<void> {
  await attach(network, container).catch((error: unknown) => {
    expect(String(error)).toMatch(/ ADD: error \d+: .* already/);
  });
}

const afterAdd = (network: Network): Readonly<Record<string, Situation>> => ({
  'ADD killed at each kernel call, then DEL': {
    prepare: (container) => addUpToLast(network, container),
    recover: (container) => detach(network, container),
  },
  'ADD killed at each kernel call, the namespace lost, then GC': {
    prepare: (container) => addUpToLast(network, container),
    recover: (container) => loseAndCollect(network, container),
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

const afterRemoval = (network: Network): Readonly<Record<string, Situation>> => ({
  'DEL killed at each kernel call, then DEL': {
    prepare: async (container) => delOfLast(network, container, await attach(network, container)),
    recover: (container) => detach(network, container),
  },
  'GC killed at each kernel call, then GC': {
    async prepare(container) {
      await attach(network, container);
      return gcOf(network);
    },
    recover: (container) => loseAndCollect(network, container),
    except: lost,
  },
});

/** Tests a killed ADD, beside a neighbour of the same network. */
export function testKilledAdd(network: Network): void {
  testAll(network, afterAdd(network));
}

/** Tests a killed DEL and GC, beside a neighbour of the same network. */
export function testKilledRemoval(network: Network): void {
  testAll(network, afterRemoval(network));
}

function testAll(network: Network, situations: Readonly<Record<string, Situation>>): void {
  beforeAll(() => attachNeighbour(network), limit(30));
  afterAll(removeContainers);

  for (const [name, situation] of Object.entries(situations)) {
    test(`${name}: as before`, async () => expect(await killAtEachCall(situation)).toEqual([]), limit(200));
  }
}
