/** Who reaches a published port, and as whom the container sees them: with real packets, IPv4 and IPv6. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import type { Container } from '../../support/container.ts';
import { ask, serve } from '../../support/traffic.ts';
import {
  type Attached,
  answers,
  attach,
  cleanUp,
  createWorld,
  node4,
  node6,
  other4,
  other6,
  world4,
  world6,
} from './network.ts';

let world: Container;
let published: Attached;
let neighbour: Attached;
let stranger: Attached;

beforeAll(async () => {
  world = await createWorld();
  const mappings = ['tcp', 'udp'].map((protocol) => ({ hostPort: 8080, containerPort: 80, protocol }));
  published = await attach('published', { mappings });
  neighbour = await attach('neighbour');
  stranger = await attach('stranger', { network: 'cni1' });
  await Promise.all([
    serve(published.netns, 'tcp', 80, 'published'),
    serve(published.netns, 'udp', 80, 'published'),
  ]);
});
afterAll(cleanUp);

const gateway4 = '10.88.1.1';
/** Masqueraded: the container sees the node's own address on its bridge. */
const cases = [
  ['the world', () => world, node4, world4],
  ['the world', () => world, other4, world4],
  ['the world', () => world, node6, world6],
  ['the world', () => world, other6, world6],
  ['the node by its own address', () => undefined, node4, node4],
  ['the node by its own address', () => undefined, node6, node6],
  ['the node by its address on the bridge', () => undefined, gateway4, gateway4],
  ['the node by 127.0.0.1', () => undefined, '127.0.0.1', gateway4],
  ['the container itself', () => published, node4, gateway4],
  ['the container itself', () => published, node6, 'fd88:1::1'],
  ['the container itself by its gateway', () => published, gateway4, gateway4],
  ['another container on the bridge', () => neighbour, node4, gateway4],
  ['another container on the bridge', () => neighbour, node6, 'fd88:1::1'],
  ['a container on another bridge', () => stranger, node4, gateway4],
  ['a container on another bridge', () => stranger, node6, 'fd88:1::1'],
] as const;

describe.each([1, 0])('bridge-nf-call-iptables = %d:', (filterBridges) => {
  beforeAll(() => {
    for (const name of ['iptables', 'ip6tables'])
      writeFileSync(`/proc/sys/net/bridge/bridge-nf-call-${name}`, String(filterBridges));
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    test.each(cases)(`${protocol} from %s`, async (_, from, address, source) => {
      const answer = await ask(from()?.netns, protocol, address, 8080);
      expect([answer?.server, canonical(answer?.source ?? '')]).toEqual(['published', source]);
    });
  }
});

/** As the address is written in this file. */
function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

test('by ::1 nobody is reached, and what listens there is left alone', async () => {
  const start = performance.now();
  expect(await answers(undefined, 'tcp', '::1', 8080)).toBe('-');
  expect(performance.now() - start).toBeLessThan(2000);
  await using _ = await serve(undefined, 'tcp', 8080, 'on the node');
  expect(await answers(undefined, 'tcp', '::1', 8080)).toBe('on the node');
  expect(await answers(undefined, 'tcp', node6, 8080)).toBe('published');
});

test('a port that is not published is the node’s own', async () => {
  await using _ = await serve(undefined, 'tcp', 8081, 'on the node');
  expect(await answers(world, 'tcp', node4, 8081)).toBe('on the node');
  expect(await answers(published, 'tcp', node4, 8081)).toBe('on the node');
});

test('what passes the node to the same port of another address is left alone', async () => {
  await using _ = await serve(world.netns, 'tcp', 8080, 'world');
  expect(await answers(neighbour, 'tcp', world4, 8080)).toBe('world');
  expect(await answers(neighbour, 'tcp', world6, 8080)).toBe('world');
});

test('the container is seen with the node’s address by the world (ipMasq beside portmap)', async () => {
  await using _ = await serve(world.netns, 'tcp', 8082, 'world');
  expect(await ask(published.netns, 'tcp', world4, 8082)).toMatchObject({ source: node4 });
});
