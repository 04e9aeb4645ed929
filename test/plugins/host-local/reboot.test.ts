/**
 * Reservations die with the boot (docs/decisions/0007-reservations-and-reboots.md). The machine is not rebooted here: a file
 * bound over /proc/sys/kernel/random/boot_id is what tells the plugin of a reboot.
 */
// packages: containernetworking-plugins
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { output } from '../../support/program.ts';
import { reference } from '../../support/reference.ts';
import { collect, give, network, refusal, reservationsOf, storeOf, take } from './network.ts';

const bootId = '/proc/sys/kernel/random/boot_id';
const ranges = [[{ subnet: '10.1.0.0/29' }]];

async function boot(id: string): Promise<void> {
  writeFileSync('/run/boot_id', `${id}\n`);
}

beforeEach(async () => {
  await boot('first');
  await output(['mount', '--bind', '/run/boot_id', bootId]);
});
afterEach(async () => {
  await output(['umount', bootId]);
});

function makeOlderThanThisBoot(path: string): void {
  utimesSync(path, new Date('2020-01-01'), new Date('2020-01-01'));
}

test('a full network has all its addresses again after a reboot, with ADD as the first call', async () => {
  const config = network({ ranges });
  for (const id of ['a', 'b', 'c', 'd', 'e']) await give(config, id);
  expect(await refusal('ADD', config, 'f')).toMatchObject({ code: 100 });
  await boot('second');
  // The runtime starts the same container again.
  expect(await give(config, 'a')).toEqual(['10.1.0.2/29']);
  expect(reservationsOf(config)).toEqual({ '10.1.0.2': 'a/eth0' });
});

test.each([
  ['DEL', take],
  ['GC', (config: ReturnType<typeof network>) => collect(config, ['b'])],
])('%s as the first call after a reboot, and nothing of the new boot goes later', async (_, first) => {
  const config = network({ ranges });
  await give(config, 'a');
  await give(config, 'b');
  await boot('second');
  await first(config, 'a');
  expect(reservationsOf(config)).toEqual({});
  await give(config, 'c');
  await give(config, 'd');
  expect(Object.values(reservationsOf(config))).toEqual(['c/eth0', 'd/eth0']);
});

test('a node that is switched from the reference: its containers keep their addresses, those of earlier boots go', async () => {
  const config = network({ ranges });
  for (const id of ['before-1', 'before-2', 'running']) await give(config, id, { binDirectory: reference });
  for (const address of ['10.1.0.2', '10.1.0.3']) makeOlderThanThisBoot(`${storeOf(config)}/${address}`);
  expect(await give(config, 'new')).toEqual(['10.1.0.5/29']);
  expect(reservationsOf(config)).toEqual({ '10.1.0.4': 'running/eth0', '10.1.0.5': 'new/eth0' });
});

test('a node switched back and forth: what the reference gave after the reboot stays', async () => {
  const config = network({ ranges });
  await give(config, 'before');
  makeOlderThanThisBoot(`${storeOf(config)}/10.1.0.2`);
  await boot('second');
  await give(config, 'theirs', { binDirectory: reference });
  await take(config, 'unknown');
  expect(reservationsOf(config)).toEqual({ '10.1.0.3': 'theirs/eth0' });
  await give(config, 'ours');
  expect(reservationsOf(config)).toEqual({ '10.1.0.3': 'theirs/eth0', '10.1.0.4': 'ours/eth0' });
});

test('an old reservation whose network namespace exists stays: the clock was wrong, not the container gone', async () => {
  const config = network({ ranges });
  for (const id of ['alive', 'gone']) await give(config, id, { binDirectory: reference });
  mkdirSync('/var/lib/cni/results', { recursive: true });
  for (const [id, netns] of [
    ['alive', '/proc/1/ns/net'],
    ['gone', '/run/netns/gone'],
  ]) {
    const result = `/var/lib/cni/results/${config.name}-${id}-eth0`;
    const ids = { containerId: id, ifName: 'eth0', networkName: config.name };
    writeFileSync(result, JSON.stringify({ kind: 'cniCacheV1', config: '', ...ids, netns, result: {} }));
    makeOlderThanThisBoot(result);
  }
  for (const address of ['10.1.0.2', '10.1.0.3']) makeOlderThanThisBoot(`${storeOf(config)}/${address}`);
  await give(config, 'new');
  expect(reservationsOf(config)).toEqual({ '10.1.0.2': 'alive/eth0', '10.1.0.4': 'new/eth0' });
});

test('a reboot of one network’s store says nothing of another’s', async () => {
  const [one, two] = [network({ ranges }), network({ ranges })];
  await give(one, 'a');
  await give(two, 'a');
  await boot('second');
  await give(one, 'b');
  expect(reservationsOf(two)).toEqual({ '10.1.0.2': 'a/eth0' });
  await take(two, 'unknown');
  expect(reservationsOf(two)).toEqual({});
  expect(readdirSync(storeOf(two))).toContain('lock');
});
