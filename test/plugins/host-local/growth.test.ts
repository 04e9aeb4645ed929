/** The cost of ADD and DEL does not grow with the store: counted in kernel calls, which no other load on the machine changes. */
// packages: strace
import { expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { give, type Network, network, storeOf, take } from './network.ts';

const trace = '/run/strace.out';

/** Calls that have to do with files, each with how often it is made. */
async function callsOf(
  call: (under: readonly string[]) => Promise<unknown>,
): Promise<Record<string, number>> {
  await call([
    'strace',
    '-f',
    '-qq',
    '-o',
    trace,
    '-e',
    'trace=%file,read,pread64,write,getdents64,flock,fsync',
  ]);
  const counts: Record<string, number> = {};
  for (const line of readFileSync(trace, 'utf8').trim().split('\n')) {
    const name = /^\d+ +(\w+)\(/.exec(line)?.[1];
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** A network in which this many containers have addresses, as the reference leaves it, and one ADD and DEL of ours. */
async function networkWith(reservations: number): Promise<Network> {
  const config = network({ ranges: [[{ subnet: '10.0.0.0/8' }]] });
  const store = storeOf(config);
  mkdirSync(store, { recursive: true });
  const address = (index: number) => `10.0.${index >> 8}.${index & 255}`;
  for (let index = 2; index < reservations + 2; index++) {
    writeFileSync(`${store}/${address(index)}`, `container-${index}\r\neth0`, { mode: 0o600 });
  }
  writeFileSync(`${store}/last_reserved_ip.0`, address(reservations + 1), { mode: 0o600 });
  await give(config, 'first');
  await take(config, 'first');
  return config;
}

async function callsOfAddAndDel(config: Network): Promise<Record<string, Record<string, number>>> {
  return {
    ADD: await callsOf((under) => give(config, 'next', { under })),
    DEL: await callsOf((under) => take(config, 'next', { under })),
  };
}

/** Calls whose number depends on whether the index's file of a container is empty. */
const differing = { read: 0, write: 0, openat: 0 };

function total(counts: Record<string, number> = {}): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

test('the same calls with 10 reservations and with 10,000, after the first call has made the index', async () => {
  const small = await networkWith(10);
  const large = await networkWith(10_000);
  const few = await callsOfAddAndDel(small);
  expect(few.ADD?.link).toBe(1);
  expect(few.DEL?.unlink).toBeGreaterThan(0);
  expect(few.ADD?.getdents64 ?? 0).toBe(0);
  const many = await callsOfAddAndDel(large);
  for (const command of ['ADD', 'DEL'] as const) {
    expect({ ...many[command], ...differing }).toEqual({ ...few[command], ...differing });
    // The index's file of the container has other lines in it: it is read on to its end, and written again by DEL.
    expect(total(many[command]) - total(few[command])).toBeLessThanOrEqual(5);
  }
}, 60_000);

test('calls of ours never make the index anew; one of the reference’s makes the next one of ours do so, once', async () => {
  const config = await networkWith(300);
  const opened = async () => {
    const { openat = 0 } = await callsOf((under) => give(config, 'again', { under }));
    await take(config, 'again');
    return openat;
  };
  const usual = await opened();
  expect(await opened()).toBe(usual);
  writeFileSync(`${storeOf(config)}/10.99.0.1`, 'theirs\r\neth0', { mode: 0o600 });
  expect(await opened()).toBeGreaterThan(300);
  expect(await opened()).toBe(usual);
});

test('where many addresses in a row are taken the store is listed once, not tried address by address', async () => {
  const config = await networkWith(3000);
  writeFileSync(`${storeOf(config)}/last_reserved_ip.0`, '10.0.0.1');
  await give(config, 'first-again');
  await take(config, 'first-again');
  const listed = await callsOf(async (under) => {
    writeFileSync(`${storeOf(config)}/last_reserved_ip.0`, '10.0.0.2');
    expect(await give(config, 'a', { under })).toEqual(['10.0.11.186/8']);
  });
  expect(total(listed)).toBeLessThan(700);
  const after = await callsOf((under) => give(config, 'b', { under }));
  expect(after.getdents64 ?? 0).toBe(0);
});
