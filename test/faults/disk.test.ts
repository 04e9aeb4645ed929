/**
 * Host-local on a disk that fails, is full or cannot be written, and killed between any two steps. Whatever happens, an
 * ADD either succeeds or leaves no reservation that DEL does not free; nobody else's is touched; the next call works.
 */
// packages: strace
// seconds: 300
import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type PluginCall, runPlugin } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { broken, callsOf } from './calls.ts';

const dataDir = '/run/disk';
const store = `${dataDir}/net`;
const config = {
  cniVersion: '1.0.0',
  name: 'net',
  type: 'bridge',
  ipam: { type: 'host-local', dataDir, ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]] },
};

function call(command: string, containerId: string): PluginCall {
  return { plugin: 'host-local', command, config, containerId, ifname: 'eth0', netns: '/run/netns/none' };
}

async function succeed(command: string, containerId: string): Promise<void> {
  const { exitCode, stdout } = await runPlugin(call(command, containerId));
  expect(`${command} ${containerId}: ${exitCode} ${exitCode === 0 ? '' : stdout}`).toBe(
    `${command} ${containerId}: 0 `,
  );
}

/** What is in the store but the lock and what was given last. */
function held(): string[] {
  if (!existsSync(store)) return [];
  return readdirSync(store)
    .filter((name) => name !== 'lock' && !name.startsWith('last_reserved_ip'))
    .sort();
}

const ofNeighbour = ['10.1.0.2', 'fd00::2'];

async function startWith(neighbour: boolean): Promise<void> {
  rmSync(dataDir, { recursive: true, force: true });
  if (neighbour) await succeed('ADD', 'neighbour');
}

afterEach(async () => {
  await runPlugin({ plugin: 'x', command: '', under: ['umount', '-q', dataDir] }).catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
});

/** Every call of an ADD or DEL, in a new network and beside another container. */
const situations = [
  ['ADD', false],
  ['ADD', true],
  ['DEL', true],
] as const;

async function prepare(command: 'ADD' | 'DEL', neighbour: boolean): Promise<void> {
  await startWith(neighbour);
  if (command === 'DEL') await succeed('ADD', 'victim');
}

describe.each(situations)('%s (beside another container: %p)', (command, neighbour) => {
  const others = neighbour ? ofNeighbour : [];

  async function callsToBreak() {
    await prepare(command, neighbour);
    const calls = await callsOf(call(command, 'victim'), '/proc/sys/kernel/random/boot_id');
    expect(calls.length).toBeGreaterThan(8);
    return calls;
  }

  test('killed before each call: DEL frees what there is, and the next ADD works', async () => {
    for (const each of await callsToBreak()) {
      await prepare(command, neighbour);
      const { exitCode } = await broken(call(command, 'victim'), each, 'KILL');
      expect(`${each.text}: ${exitCode}`).toBe(`${each.text}: 137`);
      await succeed('DEL', 'victim');
      expect(`${each.text}: ${held()}`).toBe(`${each.text}: ${others}`);
      await succeed('ADD', 'victim');
      expect(held()).toHaveLength(others.length + 2);
    }
  }, 200_000);

  test('killed before each call: what it reserved is there for its owner only, whole', async () => {
    for (const each of await callsToBreak()) {
      await prepare(command, neighbour);
      await broken(call(command, 'victim'), each, 'KILL');
      await succeed('ADD', 'next');
      if (neighbour) await succeed('DEL', 'neighbour');
      await succeed('DEL', 'next');
      await succeed('DEL', 'victim');
      expect(`${each.text}: ${held()}`).toBe(`${each.text}: `);
    }
  }, 200_000);

  test.each(['ENOSPC', 'EIO'])(
    'each call answered with %s: one error with code 5 and nothing left, or all is done',
    async (error) => {
      let failures = 0;
      for (const each of await callsToBreak()) {
        await prepare(command, neighbour);
        const { exitCode, json, stdout } = await broken(call(command, 'victim'), each, error);
        const failed = exitCode !== 0;
        failures += failed ? 1 : 0;
        if (failed)
          expect({ call: each.text, stdout, json }).toMatchObject({
            json: { code: 5, msg: expect.stringContaining(dataDir) },
          });
        const isUndone = command === 'ADD' ? failed : !failed;
        // What could not be removed under its temporary name is nobody's, and goes with the next call.
        const reserved = held().filter((name) => name !== '.fairlead-new');
        if (isUndone) expect(`${each.text}: ${reserved}`).toBe(`${each.text}: ${others}`);
        await succeed('DEL', 'victim');
        expect(`${each.text}: ${held()}`).toBe(`${each.text}: ${others}`);
        await succeed('ADD', 'victim');
      }
      expect(failures).toBeGreaterThan(0);
    },
    200_000,
  );
});

describe('a full disk', () => {
  async function mount(options: string): Promise<void> {
    mkdirSync(dataDir, { recursive: true });
    await output(['mount', '-t', 'tmpfs', '-o', options, 'disk', dataDir]);
  }

  test('of any number of files: code 5 and nothing reserved, until there is room', async () => {
    let failures = 0;
    for (let inodes = 1; inodes <= 16; inodes++) {
      await mount(`nr_inodes=${inodes}`);
      const { exitCode, json } = await runPlugin(call('ADD', 'victim'));
      if (exitCode !== 0) {
        failures++;
        expect(json).toMatchObject({
          code: 5,
          msg: expect.stringMatching(/no space left \(ENOSPC\)/),
        });
        expect(held()).toEqual([]);
        await succeed('DEL', 'victim');
      }
      await output(['mount', '-o', 'remount,nr_inodes=64', dataDir]);
      if (exitCode !== 0) await succeed('ADD', 'victim');
      expect(held()).toHaveLength(2);
      await output(['umount', dataDir]);
    }
    expect(failures).toBeGreaterThan(5);
    expect(failures).toBeLessThan(16);
  }, 60_000);

  test('without a block left: ADD is refused, DEL frees all the same', async () => {
    await mount('size=64k');
    for (const id of ['a', 'b', 'c']) await succeed('ADD', id);
    await output(['sh', '-c', `cat /dev/zero > ${dataDir}/filler || true`]);
    const { exitCode, json } = await runPlugin(call('ADD', 'd'));
    expect({ exitCode, json }).toMatchObject({
      exitCode: 1,
      json: { code: 5, msg: expect.stringContaining('ENOSPC') },
    });
    expect(held()).toHaveLength(6);
    for (const id of ['b', 'd', 'a', 'c']) await succeed('DEL', id);
    expect(held()).toEqual([]);
  });
});

test('a read-only disk: ADD and DEL of what is there say so; CHECK, and DEL of what is not, work', async () => {
  mkdirSync(dataDir, { recursive: true });
  await output(['mount', '-t', 'tmpfs', 'disk', dataDir]);
  await succeed('ADD', 'a');
  await output(['mount', '-o', 'remount,ro', dataDir]);
  for (const [command, id] of [
    ['ADD', 'b'],
    ['DEL', 'a'],
  ] as const) {
    const { exitCode, json } = await runPlugin(call(command, id));
    expect({ exitCode, json }).toMatchObject({
      exitCode: 1,
      json: {
        code: 5,
        msg: expect.stringMatching(/^cannot keep reservations in \/run\/disk\/net: .*\(EROFS\)/),
      },
    });
  }
  await succeed('DEL', 'b');
  const prevResult = { cniVersion: '1.0.0' };
  expect(await runPlugin({ ...call('CHECK', 'a'), config: { ...config, prevResult } })).toMatchObject({
    exitCode: 0,
  });
  await output(['mount', '-o', 'remount,rw', dataDir]);
  await succeed('DEL', 'a');
  expect(held()).toEqual([]);
});

/** A run in which the disk does not give one file. */
function without(path: string): Partial<PluginCall> {
  return { under: ['strace', '-qq', '-o', '/dev/null', '-P', path, '-e', 'inject=openat,open:error=EIO'] };
}

test('a reservation that cannot be read: DEL of its owner says so, others are not kept from theirs', async () => {
  await startWith(true);
  await succeed('ADD', 'victim');
  const bad = without(`${store}/10.1.0.3`);
  const { exitCode, json } = await runPlugin({ ...call('DEL', 'victim'), ...bad });
  expect({ exitCode, json }).toMatchObject({
    exitCode: 1,
    json: { code: 5, msg: expect.stringContaining('10.1.0.3') },
  });
  rmSync(`${dataDir}/.fairlead`, { recursive: true });
  expect(await runPlugin({ ...call('DEL', 'neighbour'), ...bad })).toMatchObject({ exitCode: 0 });
  expect(held()).toEqual(['10.1.0.3', 'fd00::3']);
  await succeed('DEL', 'victim');
  expect(held()).toEqual([]);
});
