/** SCTP through published ports, on the kernels that have it; nothing here needs more of the kernel than the others. */
// kernels: first, second
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Container } from '../../support/container.ts';
import { ask, kernelHasSctp, serve } from '../../support/traffic.ts';
import { testUnless } from '../../support/unless.ts';
import { type Attached, attach, cleanUp, createWorld, elements, node4, node6 } from './network.ts';

let world: Container;
let one: Attached;

beforeAll(async () => {
  world = await createWorld();
  one = await attach('one', {
    mappings: ['sctp', 'tcp', 'udp'].map((protocol) => ({ hostPort: 3868, containerPort: 38, protocol })),
  });
});
afterAll(cleanUp);

const withSctp = testUnless(kernelHasSctp() ? undefined : 'this kernel has no SCTP');

for (const [from, who] of [
  ['the world', () => world],
  ['the node', () => undefined],
  ['the container itself', () => one],
] as const) {
  withSctp(`SCTP from ${from}`, async () => {
    await using _ = await serve(one.netns, 'sctp', 38, 'one');
    for (const address of [node4, node6]) {
      const answer = await ask(who()?.netns, 'sctp', address, 3868);
      expect(`${address} ${answer?.server}`).toBe(`${address} one`);
    }
  });
}

for (const protocol of ['tcp', 'udp'] as const) {
  test(`${protocol} beside it`, async () => {
    await using _ = await serve(one.netns, protocol, 38, 'one');
    for (const address of [node4, node6]) {
      const answer = await ask(world.netns, protocol, address, 3868);
      expect(`${address} ${answer?.server}`).toBe(`${address} one`);
    }
  });
}

test('SCTP’s elements are there on every kernel', async () => {
  expect((await elements()).filter((line) => line.includes('sctp . 3868'))).toHaveLength(6);
});
