/**
 * SCTP through published ports. Where the kernel has SCTP sockets they speak; where it only tracks and translates SCTP,
 * an association is begun by raw sockets, which judge the checksums.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Container, inNetns, within } from '../../support/container.ts';
import { runProgram } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { ask, kernelHasSctp, serve } from '../../support/traffic.ts';
import { testUnless } from '../../support/unless.ts';
import { type Attached, answers, attach, cleanUp, createWorld, elements, node4, node6 } from './network.ts';

let world: Container;
let one: Attached;
const raw: Bun.Subprocess[] = [];

beforeAll(async () => {
  world = await createWorld();
  const mappings = ['sctp', 'tcp'].map((protocol) => ({ hostPort: 3868, containerPort: 38, protocol }));
  one = await attach('one', { mappings });
});
afterAll(async () => {
  for (const child of raw) child.kill('SIGKILL');
  await Promise.all(raw.map((child) => child.exited));
  await cleanUp();
});

const clients = [
  ['the world', () => world],
  ['the node', () => undefined],
  ['the container itself', () => one],
] as const;

for (const [from, who] of clients) {
  testUnless(kernelHasSctp() ? undefined : 'this kernel has no SCTP sockets')(
    `sockets: from ${from}`,
    async () => {
      await using _ = await serve(one.netns, 'sctp', 38, 'one');
      for (const address of [node4, node6]) {
        const answer = await ask(who()?.netns, 'sctp', address, 3868);
        expect(`${address} ${answer?.server}`).toBe(`${address} one`);
      }
    },
  );
}

const file = new URL('raw-sctp.ts', import.meta.url).pathname;

/** Answers INIT on the container's port. */
async function serveRaw(family: 4 | 6): Promise<void> {
  const argv = within(one.netns, [process.execPath, file, 'serve', String(family), '38']);
  const child = Bun.spawn([...argv], { stdout: 'pipe' });
  raw.push(child);
  const { done } = await child.stdout.getReader().read();
  if (done) throw new Error('the server did not start');
}

async function associates(
  from: Container | undefined,
  family: 4 | 6,
  address: string,
  port: number,
): Promise<boolean> {
  const argv = [process.execPath, file, 'ask', String(family), address, String(port), String(limit(1))];
  const ended = await (from === undefined ? runProgram(argv) : inNetns(from.netns, argv));
  return ended.exitCode === 0;
}

const tracksSctp = existsSync('/proc/sys/net/netfilter/nf_conntrack_sctp_timeout_established');
const withTracking = testUnless(tracksSctp ? undefined : 'this kernel does not track SCTP');

for (const [family, address] of [
  [4, node4],
  [6, node6],
] as const) {
  withTracking(
    `raw sockets, IPv${family}: INIT reaches the container, its answer comes from the node`,
    async () => {
      await serveRaw(family);
      expect(await associates(world, family, address, 3868)).toBe(true);
      expect(await associates(one, family, address, 3868)).toBe(true);
      expect(await associates(world, family, address, 3869)).toBe(false);
    },
  );
}

test('TCP of the same number is a port of its own', async () => {
  await using _ = await serve(one.netns, 'tcp', 38, 'one');
  for (const address of [node4, node6]) expect(await answers(world, 'tcp', address, 3868)).toBe('one');
});

test('the elements are there on every kernel', async () => {
  expect((await elements()).filter((line) => line.includes('sctp . 3868'))).toHaveLength(6);
});
