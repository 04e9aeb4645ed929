/** A node with firewalld: containers' addresses are sources of a zone, by D-Bus. A real firewalld, and real packets. */
// packages: containernetworking-plugins
// seconds: 120
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { add, del, failure, gc, status } from '../../support/plugin.ts';
import { reference } from '../../support/reference.ts';
import { limit } from '../../support/sandbox.ts';
import { firewallCmd, socket, sources, startBus, startFirewalld, stopFirewalld } from './firewalld.ts';
import {
  attach,
  call,
  checked,
  connect,
  createWorld,
  flush,
  imagine,
  nft,
  patience,
  reach,
  release,
  world4,
  world6,
} from './network.ts';

const outside = { address4: world4, address6: world6 };

beforeAll(startFirewalld, limit(30));
afterAll(stopFirewalld, limit(10));

/** Takes away what a test made, and leaves firewalld's own table. */
afterEach(async () => {
  await flush();
  await firewallCmd('--reload');
}, patience);

test(
  'a container’s packets pass as soon as its addresses are sources, until DEL; a reload forgets them, and CHECK says so',
  async () => {
    await createWorld();
    const one = await connect('one');
    const two = await attach('two');
    expect(await reach(one, outside)).toBe('-');
    await add({ plugin: 'firewall', container: one, config: one.config });
    expect(await reach(one, outside, 5)).toBe('46');
    expect(await checked(one)).toBe('');
    const all = [one, two].flatMap(({ address4, address6 }) => [`${address4}/32`, `${address6}/128`]).sort();
    expect(await sources()).toEqual(all);
    await firewallCmd('--reload');
    expect(await sources()).toEqual([]);
    expect(await reach(one, outside)).toBe('-');
    expect(await checked(one)).toBe(
      `102: firewalld: ${one.address4} is no source of zone trusted; firewalld: ${one.address6} is no source of zone trusted`,
    );
    await add({ plugin: 'firewall', container: one, config: one.config });
    expect(await reach(one, outside, 5)).toBe('46');
    await release(two);
    await release(one, { ...one.config, prevResult: undefined });
    expect(await sources()).toEqual([]);
    expect(await reach(one, outside)).toBe('-');
  },
  patience,
);

test(
  'a permanent source for the whole network outlives a reload',
  async () => {
    await createWorld();
    const one = await attach('one');
    const [four, six] = [one.address4.replace(/\.\d+$/, '.0/24'), one.address6.replace(/::.*/, '::/64')];
    for (const source of [four, six])
      await firewallCmd('--permanent', '--zone=trusted', `--add-source=${source}`);
    await firewallCmd('--reload');
    expect(await reach(one, outside, 5)).toBe('46');
    for (const source of [four, six])
      await firewallCmd('--permanent', '--zone=trusted', `--remove-source=${source}`);
  },
  patience,
);

test(
  'ingressPolicy holds beside firewalld',
  async () => {
    await createWorld();
    const keys = { ingressPolicy: 'same-bridge' };
    const [a, b] = [await attach('a', keys), await attach('b', keys)];
    const c = await attach('c', keys, { network: 'cni1' });
    expect(await reach(a, b, 5)).toBe('46');
    expect(await reach(a, c)).toBe('-');
    expect(await reach(c, outside, 5)).toBe('46');
  },
  patience,
);

test('another zone, one that is not there, and an address that has another zone already', async () => {
  const one = imagine('one', 1, { firewalldZone: 'work' });
  await add({ plugin: 'firewall', container: one, config: one.config });
  expect(await sources('work')).toEqual(['10.99.0.1/32', 'fd99::1/128']);
  const refusal = (keys: object) =>
    failure({
      plugin: 'firewall',
      command: 'ADD',
      container: two,
      ifname: 'eth0',
      config: { ...two.config, ...keys },
    });
  const two = imagine('two', 2);
  expect(await refusal({ firewalldZone: 'nowhere' })).toMatchObject({
    code: 7,
    msg: '`firewalldZone` of plugin `firewall`: firewalld has no zone "nowhere"',
  });
  await firewallCmd('--zone=work', '--add-source=fd99::2/128');
  expect(await refusal({})).toMatchObject({
    code: 999,
    msg: 'firewalld does not take fd99::2 as a source of its zone "trusted"',
    details: expect.stringContaining('ZONE_CONFLICT'),
  });
  // Undone: the IPv4 address that had been taken is given back, and what was the administrator's is there.
  expect(await sources()).toEqual([]);
  expect(await sources('work')).toEqual(['10.99.0.1/32', 'fd99::1/128', 'fd99::2/128']);
  await release(one);
  expect(await sources('work')).toEqual(['fd99::2/128']);
});

test('backend iptables: firewalld is not asked', async () => {
  const one = imagine('one', 1, { backend: 'iptables' });
  await add({ plugin: 'firewall', container: one, config: one.config });
  expect(await checked(one)).toBe('');
  expect(await sources()).toEqual([]);
});

test('GC ends the sources of those that are gone, DEL twice not those of who has the address now', async () => {
  const [gone, kept] = [imagine('gone', 1), imagine('kept', 2)];
  for (const one of [gone, kept]) await call('ADD', one, one.config);
  const { prevResult: _, ...config } = kept.config;
  await gc({
    plugin: 'firewall',
    config: { ...config, 'cni.dev/valid-attachments': [{ containerID: 'kept', ifname: 'eth0' }] },
  });
  expect(await sources()).toEqual(['10.99.0.2/32', 'fd99::2/128']);
  const next = { ...imagine('next', 1) };
  await call('ADD', next, next.config);
  await release(gone);
  expect(await sources()).toEqual(['10.99.0.1/32', '10.99.0.2/32', 'fd99::1/128', 'fd99::2/128']);
  expect(await checked(next)).toBe('');
});

test(
  'interchangeable with the reference’s: either removes what the other added',
  async () => {
    const world = await createWorld();
    expect(world.id).toBe('world');
    const one = await connect('one');
    const config = { ...one.config, cniVersion: '1.0.0', prevResult: { ...one.result, cniVersion: '1.0.0' } };
    const [ours, theirs] = [{}, { binDirectory: reference }];
    for (const [first, second] of [
      [ours, theirs],
      [theirs, ours],
    ]) {
      await add({ plugin: 'firewall', container: one, config, ...first });
      expect(await sources()).toEqual([`${one.address4}/32`, `${one.address6}/128`]);
      expect(await reach(one, outside, 5)).toBe('46');
      await del({ plugin: 'firewall', container: one, config, ...second });
      expect(await sources()).toEqual([]);
    }
  },
  patience,
);

let nonsense: { stop(): void } | undefined;

/** Somebody else listens where the bus was, and says yes to everything. */
async function talkNonsense(): Promise<void> {
  await Bun.file(socket).delete();
  const data = (one: { write(text: string): unknown }) => {
    one.write('OK nonsense\r\nnonsense, and more of it');
  };
  nonsense = Bun.listen({ unix: socket, socket: { data } });
}

async function silence(): Promise<void> {
  nonsense?.stop();
  await Bun.$`rm -f ${socket}`;
}

test('STATUS, and what is there after firewalld has gone: its bus without it, nothing, no bus', async () => {
  const config = { cniVersion: '1.1.0', name: 'cni0', type: 'firewall', backend: 'firewalld' };
  await status({ plugin: 'firewall', config });
  const one = imagine('one', 1);
  await call('ADD', one, one.config);
  await stopFirewalld();
  for (const prepare of [startBus, stopFirewalld, () => Bun.write(socket, 'no socket'), talkNonsense]) {
    await prepare();
    const error = await failure({ plugin: 'firewall', command: 'STATUS', config });
    expect(error).toMatchObject({ code: 50, msg: expect.stringContaining('no firewalld runs') });
    expect((await call('ADD', one, { ...one.config, backend: 'firewalld' })).json).toMatchObject({
      code: 11,
    });
    expect((await call('ADD', one, one.config)).exitCode).toBe(0);
    expect((await call('DEL', one, one.config)).exitCode).toBe(0);
  }
  await silence();
  await nft('flush ruleset');
  await startFirewalld();
});
