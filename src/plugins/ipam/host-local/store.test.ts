import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { formatAddress, type IpAddress, parseAddress } from '../../../lib/ip.ts';
import { allocate, hasFreeAddress } from './allocate.ts';
import { completeRange, type RangeSet } from './range.ts';
import { freeReservationsOfEarlierBoots } from './reboot.ts';
import { openStore, type Store } from './store.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(`${tmpdir()}/fairlead-store-`);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const alice = { containerId: 'alice', ifname: 'eth0' };
const bob = { containerId: 'bob', ifname: 'eth0' };
const ranges: RangeSet = [completeRange({ subnet: '10.1.0.0/29' })];

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function within<T>(call: (store: Store) => T): T {
  const store = openStore(dataDir, 'net');
  try {
    return call(store);
  } finally {
    store.close();
  }
}

const file = (name: string) => `${dataDir}/net/${name}`;
const held = (owner: typeof alice) => within((store) => store.held(owner).map(formatAddress));
const give = (owner: typeof alice, ...requested: string[]) =>
  within((store) =>
    allocate(store, [ranges], requested.map(address), owner).map((one) => formatAddress(one.address.address)),
  );

describe('the reference’s format', () => {
  test('a reservation is a file named by the address, holding container and interface', () => {
    expect(give(alice)).toEqual(['10.1.0.2']);
    expect(readFileSync(file('10.1.0.2'), 'utf8')).toBe('alice\r\neth0');
    expect(readFileSync(file('last_reserved_ip.0'), 'utf8')).toBe('10.1.0.2');
    expect(readdirSync(`${dataDir}/net`).sort()).toEqual(['10.1.0.2', 'last_reserved_ip.0', 'lock']);
  });

  test('what the reference reserved is known, taken and freed', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), 'bob\r\neth0');
    writeFileSync(file('last_reserved_ip.0'), '10.1.0.6');
    expect(held(bob)).toEqual(['10.1.0.2']);
    expect(give(alice)).toEqual(['10.1.0.3']);
    within((store) => store.release(bob));
    expect(readdirSync(`${dataDir}/net`)).not.toContain('10.1.0.2');
  });

  test('an old version’s reservation names the container only', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), 'bob');
    expect(held(bob)).toEqual(['10.1.0.2']);
    within((store) => store.release(bob));
    expect(held(bob)).toEqual([]);
  });
});

describe('the index believes nothing that others changed', () => {
  test('a reservation that another program makes or removes right after ours', () => {
    give(alice);
    writeFileSync(file('10.1.0.5'), 'bob\r\neth0');
    expect(held(bob)).toEqual(['10.1.0.5']);
    rmSync(file('10.1.0.2'));
    expect(held(alice)).toEqual([]);
  });

  test('an index that is lost or cut off half-way', () => {
    give(alice);
    rmSync(`${dataDir}/.fairlead`, { recursive: true });
    expect(held(alice)).toEqual(['10.1.0.2']);
  });
});

describe('allocation', () => {
  test('round robin, all addresses, then a clear error with nothing reserved', () => {
    const owners = ['a', 'b', 'c', 'd', 'e'].map((containerId) => ({ containerId, ifname: 'eth0' }));
    expect(owners.flatMap((owner) => give(owner))).toEqual([
      '10.1.0.2',
      '10.1.0.3',
      '10.1.0.4',
      '10.1.0.5',
      '10.1.0.6',
    ]);
    expect(() => give(alice)).toThrow('no address left in range set 0: 10.1.0.1-10.1.0.6');
    expect(within((store) => hasFreeAddress(store, ranges))).toBe(false);
    within((store) => store.release({ containerId: 'c', ifname: 'eth0' }));
    expect(within((store) => hasFreeAddress(store, ranges))).toBe(true);
    expect(give(alice)).toEqual(['10.1.0.4']);
  });

  test('the address that was asked for, unless it is taken, the gateway, or nobody’s', () => {
    expect(give(alice, '10.1.0.5')).toEqual(['10.1.0.5']);
    expect(() => give(bob, '10.1.0.5')).toThrow('requested 10.1.0.5 is taken by another container');
    expect(() => give(bob, '10.1.0.1')).toThrow('10.1.0.1 is the gateway');
    expect(() => give(bob, '10.9.0.1')).toThrow('requested 10.9.0.1, which no range');
    expect(held(bob)).toEqual([]);
  });

  test('a second ADD is refused and the first one’s address stays', () => {
    give(alice);
    expect(() => give(alice)).toThrow('10.1.0.2 has been allocated to container alice');
    expect(held(alice)).toEqual(['10.1.0.2']);
  });

  test('a set that is exhausted gives back what the others gave', () => {
    const small: RangeSet = [
      completeRange({ subnet: 'fd00::/64', rangeStart: 'fd00::2', rangeEnd: 'fd00::2' }),
    ];
    const both = (owner: typeof alice) => within((store) => allocate(store, [ranges, small], [], owner));
    expect(both(alice)).toHaveLength(2);
    expect(() => both(bob)).toThrow('no address left in range set 1');
    expect(held(bob)).toEqual([]);
  });
});

describe('reservations of earlier boots', () => {
  const hourAgo = Date.now() / 1000 - 3600;
  const boot = { id: 'this-boot', at: () => Date.now() - 60_000 };
  const free = (cache: string) =>
    within((store) =>
      freeReservationsOfEarlierBoots(store, dataDir, 'net', boot, cache).map((one) =>
        formatAddress(one.address),
      ),
    );

  test('are freed once, those of this boot stay', () => {
    give(alice);
    utimesSync(file('10.1.0.2'), hourAgo, hourAgo);
    give(bob);
    expect(free(`${dataDir}/none`)).toEqual(['10.1.0.2']);
    expect(held(bob)).toEqual(['10.1.0.3']);
    utimesSync(file('10.1.0.3'), hourAgo, hourAgo);
    expect(free(`${dataDir}/none`)).toEqual([]);
  });

  test('stay where a runtime cached a result for the owner since: then the clock was set', () => {
    give(alice);
    utimesSync(file('10.1.0.2'), hourAgo, hourAgo);
    mkdirSync(`${dataDir}/results`);
    writeFileSync(`${dataDir}/results/net-alice-eth0`, '{}');
    expect(free(`${dataDir}/results`)).toEqual([]);
  });

  test('a file that names nobody is left for a person to look at', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), '# kept for the printer');
    utimesSync(file('10.1.0.2'), hourAgo, hourAgo);
    expect(free(`${dataDir}/none`)).toEqual([]);
    expect(give(alice)).toEqual(['10.1.0.3']);
  });
});
