/** UDP flows that began before a port was published reach the container after it: what the kernel remembers is removed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { Container } from '../../support/container.ts';
import { output } from '../../support/program.ts';
import { serve, stopServers } from '../../support/traffic.ts';
import {
  type Attached,
  answers,
  attach,
  cleanUp,
  createWorld,
  node4,
  other6,
  publish,
  unpublish,
  world4,
} from './network.ts';

let world: Container;
let one: Attached;
let two: Attached;
const mappings = [{ hostPort: 5353, containerPort: 53, protocol: 'udp' }];

beforeAll(async () => {
  world = await createWorld();
  // Any rule of NAT makes the kernel track flows from the start, as on every node.
  one = await attach('one', { mappings: [{ hostPort: 1, containerPort: 1 }] });
  two = await attach('two');
});
afterEach(async () => {
  await stopServers();
  for (const each of [one, two]) await unpublish(each);
});
afterAll(cleanUp);

/** A datagram of a flow that is always the same. (The node answers for itself with the last IPv6 address that it was given.) */
const flow = (address: string, sourcePort = 4000) =>
  answers(world, 'udp', address, 5353, { sourcePort, timeoutSeconds: 1 });

describe.each([
  ['IPv4', node4],
  ['IPv6', other6],
])('%s:', (_, address) => {
  test('a flow to the closed port, then ADD', async () => {
    expect(await flow(address)).toBe('-');
    await serve(one.netns, 'udp', 53, 'one');
    await publish(one, { mappings });
    expect(await flow(address)).toBe('one');
  });

  test('a flow that the node itself answered, then ADD', async () => {
    await using _ = await serve(undefined, 'udp', 5353, 'node');
    expect(await flow(address)).toBe('node');
    await serve(one.netns, 'udp', 53, 'one');
    await publish(one, { mappings });
    expect(await flow(address)).toBe('one');
  });

  test('DEL, then ADD of another container', async () => {
    await serve(one.netns, 'udp', 53, 'one');
    await serve(two.netns, 'udp', 53, 'two');
    await publish(one, { mappings });
    expect(await flow(address)).toBe('one');
    await unpublish(one);
    await publish(two, { mappings });
    expect(await flow(address)).toBe('two');
  });

  test('ADD of another container while the first has the port', async () => {
    await serve(one.netns, 'udp', 53, 'one');
    await serve(two.netns, 'udp', 53, 'two');
    await publish(one, { mappings });
    expect(await flow(address)).toBe('one');
    await publish(two, { mappings });
    expect(await flow(address)).toBe('two');
  });
});

test('flows to other ports, of TCP, and through the node to the same port are left alone', async () => {
  await serve(world.netns, 'udp', 5353, 'world');
  expect(await answers(two, 'udp', world4, 5353, { sourcePort: 4001 })).toBe('world');
  await serve(undefined, 'udp', 5454, 'node');
  expect(await answers(world, 'udp', node4, 5454, { sourcePort: 4002 })).toBe('node');
  await serve(undefined, 'tcp', 5353, 'node');
  expect(await answers(world, 'tcp', node4, 5353, { sourcePort: 4003 })).toBe('node');
  const before = await flowsOf([4001, 4002, 4003]);
  expect(before).toHaveLength(3);
  await publish(one, { mappings });
  expect(await flowsOf([4001, 4002, 4003])).toEqual(before);
});

test('of a port of one address only that address’s flows are forgotten', async () => {
  await using _ = await serve(undefined, 'udp', 5353, 'node');
  expect([await flow(node4), await flow(other6)]).toEqual(['node', 'node']);
  await publish(one, { mappings: [{ ...mappings[0], hostPort: 5353, containerPort: 53, hostIP: other6 }] });
  expect(await flowsOf([4000])).toEqual([expect.stringContaining(`dst=${node4}`)]);
});

/** The tracked flows from these source ports, as /proc/net/nf_conntrack has them, without their timeouts. */
async function flowsOf(sourcePorts: readonly number[]): Promise<string[]> {
  return (await output(['cat', '/proc/net/nf_conntrack']))
    .split('\n')
    .filter((line) => sourcePorts.some((port) => line.includes(`sport=${port} `)))
    .map((line) => line.replace(/^(\S+\s+\d+\s+\S+\s+\d+) \d+/, '$1'))
    .sort();
}
