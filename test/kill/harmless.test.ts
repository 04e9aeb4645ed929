/**
 * The other tests here kill at those calls only that can change something (changing.ts). This one holds that against
 * the kernel: killed at the call after one that is taken for harmless, a plugin has left what it had left before that.
 */
// packages: strace
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Container, createContainer, removeContainers } from '../support/container.ts';
import { diff, type Snapshot } from '../support/node.ts';
import { limit } from '../support/sandbox.ts';
import { type Call, everyCallOf, killAt, position } from './calls.ts';
import { addUpToLast, attachNeighbour, detach } from './chain.ts';
import { changesSomething } from './changing.ts';
import { facts } from './facts.ts';
import { tapped as network } from './networks.ts';

beforeAll(() => attachNeighbour(network), limit(30));
afterAll(removeContainers);

/** Without what is another one each time (the addresses given, the tap's own hardware address), and what comes later by itself. */
async function comparable(container: Container): Promise<Snapshot> {
  return (await facts(container))
    .filter((line) => !/fe80:|ff00:/.test(line))
    .map((line) => line.replaceAll(/10\.1\.0\.\d+|fd00:1::\w+|ether (?!fa:)[0-9a-f:]+/g, '…'));
}

/** What an ADD has left that is killed there; undefined where the runtime's own calls bring it out of step again and again. */
async function leftAt(call: Call): Promise<Snapshot | undefined> {
  let when = call.when;
  for (let attempt = 0; attempt < 4; attempt++) {
    using container = createContainer('victim');
    const hit = await killAt(await addUpToLast(network, container), call.name, when);
    const left = await comparable(container);
    await detach(network, container);
    if (hit?.id === call.id) return left;
    when += hit === undefined ? -1 : position(call) - position(hit);
  }
  return undefined;
}

test(
  'what is taken for harmless changes nothing',
  async () => {
    using first = createContainer('counted');
    const calls = await everyCallOf(await addUpToLast(network, first));
    await detach(network, first);
    let compared = 0;
    const problems: string[] = [];
    let before: Snapshot | undefined;
    for (const [index, next] of calls.entries()) {
      const after = await leftAt(next);
      const call = calls[index - 1] ?? next;
      if (before !== undefined && after !== undefined && !changesSomething(call.text)) {
        compared++;
        const changes = diff(before, after);
        if (changes.length > 0) problems.push([call.text, ...changes].join('\n  '));
      }
      before = after;
    }
    expect(problems).toEqual([]);
    expect(compared).toBeGreaterThan(60);
  },
  limit(110),
);
