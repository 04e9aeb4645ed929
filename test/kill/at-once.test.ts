/**
 * ADD stands still at each kernel call in turn, with all that it holds, while another container's ADD comes, and is
 * killed there: the other's succeeds, and both are removed without a trace.
 */
// packages: strace
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { type Container, createContainer, removeContainers } from '../support/container.ts';
import { diff } from '../support/node.ts';
import { limit } from '../support/sandbox.ts';
import { type Call, callsOf, standAt } from './calls.ts';
import { addUpToLast, attach, attachNeighbour, detach } from './chain.ts';
import { facts } from './facts.ts';
import { full as network } from './networks.ts';

/** How long the one gets to come to the call, and then the other to end, in milliseconds. */
const pause = 75;

beforeAll(() => attachNeighbour(network), limit(30));
afterAll(removeContainers);

/** Kills the plugin that works for a container: a process of this sandbox, which strace(1) has started. */
function killPluginOf({ id }: Container): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const isIt = isNamed(pid, 'bridge') && read(pid, 'environ').includes(`CNI_CONTAINERID=${id}\0`);
    if (isIt) process.kill(Number(pid), 'SIGKILL');
  }
}

function isNamed(pid: string, name: string): boolean {
  return read(pid, 'comm').trim() === name;
}

/** A file of a process; empty where it has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** One such meeting: whether the victim had come to the call, whether the other had to wait, and what is wrong after. */
async function meet({ id, name, when, text }: Call, victim: Container, other: Container) {
  const before = await facts(victim);
  const standing = standAt(await addUpToLast(network, victim), name, when, 3.5 * pause);
  await Bun.sleep(pause);
  const adding = attach(network, other).then(
    () => [],
    (error: unknown) => [String(error)],
  );
  const waited = await Promise.race([Bun.sleep(pause).then(() => true), adding.then(() => false)]);
  killPluginOf(victim);
  const [hit, failure] = await Promise.all([standing, adding]);
  await detach(network, victim);
  await detach(network, other);
  const wrong = [...failure, ...diff(before, await facts(victim))];
  const problems = wrong.length === 0 ? [] : [`killed at ${text}\n  ${wrong.join('\n  ')}`];
  return { hit: hit?.id === id, waited, problems };
}

test(
  'ADD killed at each kernel call while another comes: that one works, and DEL of both leaves nothing',
  async () => {
    using other = createContainer('other');
    using victim = createContainer('victim');
    const calls = await callsOf(await addUpToLast(network, victim));
    await detach(network, victim);
    const meetings = [];
    for (const call of calls) meetings.push(await meet(call, victim, other));
    expect(meetings.flatMap(({ problems }) => problems)).toEqual([]);
    // The one comes to its call in time where the machine is not too busy, and may hold the lock of the reservations there.
    expect(meetings.filter(({ hit }) => hit).length).toBeGreaterThan(calls.length / 2);
    expect(meetings.filter(({ hit, waited }) => hit && waited).length).toBeGreaterThan(10);
  },
  limit(200),
);
