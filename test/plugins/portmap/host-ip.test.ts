/** `hostIP`: a port published on one address of the node, or on all of a family. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import type { Container } from '../../support/container.ts';
import { serve, stopServers } from '../../support/traffic.ts';
import {
  type Attached,
  answers,
  attach,
  cleanUp,
  createWorld,
  elements,
  node4,
  node6,
  other4,
  other6,
  publish,
  unpublish,
} from './network.ts';

let world: Container;
let one: Attached;
let two: Attached;
const port = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };

beforeAll(async () => {
  world = await createWorld();
  one = await attach('one');
  two = await attach('two');
  await serve(one.netns, 'tcp', 80, 'one');
  await serve(two.netns, 'tcp', 80, 'two');
});
afterEach(async () => {
  for (const each of [one, two]) await unpublish(each);
});
afterAll(async () => {
  await stopServers();
  await cleanUp();
});

/** Who answers on each of the node's addresses. */
async function everywhere(): Promise<Record<string, string>> {
  const addresses = [node4, other4, node6, other6];
  const who = await Promise.all(
    addresses.map((address) => answers(world, 'tcp', address, 8080, { timeoutSeconds: 1 })),
  );
  return Object.fromEntries(addresses.map((address, index) => [address, who[index] ?? '']));
}

const nobody = { [node4]: '-', [other4]: '-', [node6]: '-', [other6]: '-' };
const ofIpv4 = { ...nobody, [node4]: 'one', [other4]: 'one' };
const ofIpv6 = { ...nobody, [node6]: 'one', [other6]: 'one' };

test.each([
  ['', { ...ofIpv4, [node6]: 'one', [other6]: 'one' }],
  ['0.0.0.0', ofIpv4],
  ['::', ofIpv6],
  ['::ffff:0.0.0.0', ofIpv4],
  [other4, { ...nobody, [other4]: 'one' }],
  [`::ffff:${other4}`, { ...nobody, [other4]: 'one' }],
  [other6, { ...nobody, [other6]: 'one' }],
  ['2001:DB8:0::2', { ...nobody, [other6]: 'one' }],
  ['127.0.0.1', nobody],
])('hostIP "%s"', async (hostIP, expected) => {
  await publish(one, { mappings: [{ ...port, hostIP }] });
  expect(await everywhere()).toEqual(expected);
});

test('127.0.0.1: from the node only', async () => {
  await publish(one, { mappings: [{ ...port, hostIP: '127.0.0.1' }] });
  expect(await answers(undefined, 'tcp', '127.0.0.1', 8080)).toBe('one');
  expect(await answers(undefined, 'tcp', node4, 8080)).toBe('-');
});

test('an address that the node does not have: nothing is taken from what passes', async () => {
  await publish(one, { mappings: [{ ...port, hostIP: '192.0.2.77' }] });
  expect(await everywhere()).toEqual(nobody);
});

test('a port of one address wins over the port of all, whichever came first', async () => {
  const orders = [
    [one, two],
    [two, one],
  ] as const;
  for (const [first] of orders) {
    const all = () => publish(two, { mappings: [port] });
    const single = () =>
      publish(one, {
        mappings: [
          { ...port, hostIP: node4 },
          { ...port, hostIP: node6 },
        ],
      });
    if (first === one) await single();
    await all();
    if (first === two) await single();
    expect(await everywhere()).toEqual({ [node4]: 'one', [other4]: 'two', [node6]: 'one', [other6]: 'two' });
    await unpublish(one);
    expect(await everywhere()).toEqual({ [node4]: 'two', [other4]: 'two', [node6]: 'two', [other6]: 'two' });
    await unpublish(two);
  }
});

test('the same port twice in one list: once, or an error where they contradict each other', async () => {
  await publish(one, { mappings: [port, { ...port, hostIP: '0.0.0.0' }, { ...port, protocol: 'TCP' }] });
  expect(
    (await elements()).filter((line) => line.includes('tcp . 8080') && line.includes('"cni0 one')),
  ).toHaveLength(6);
  expect(await everywhere()).toEqual({ ...ofIpv4, [node6]: 'one', [other6]: 'one' });
  const contradicting = [port, { ...port, hostIP: '0.0.0.0', containerPort: 81 }];
  expect(publish(one, { mappings: contradicting })).rejects.toThrow(
    '`runtimeConfig.portMappings[1]` of plugin `portmap` maps host port 8080/tcp, which `portMappings[0]` maps to container port 80',
  );
});
