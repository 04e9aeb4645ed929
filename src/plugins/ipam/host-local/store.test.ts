import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { formatAddress } from '../../../lib/ip.ts';
import { address } from '../../../lib/ip-literal.ts';
import { allocate, hasFreeAddress } from './allocate.ts';
import { completeRange, type RangeSet } from './range.ts';
import { openExistingStore, openStore, type Store } from './store.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(`${tmpdir()}/fairlead-store-`);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const alice = { containerId: 'alice', ifname: 'eth0' };
const bob = { containerId: 'bob', ifname: 'eth0' };
const ranges: RangeSet = [completeRange({ subnet: '10.1.0.0/29' })];

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

  test('a reservation that another program writes into: what is another’s now is not freed', () => {
    give(alice);
    give(bob);
    writeFileSync(file('10.1.0.2'), 'carol\r\neth0');
    within((store) => store.release(alice));
    expect(held({ containerId: 'carol', ifname: 'eth0' })).toEqual(['10.1.0.2']);
    expect(held(bob)).toEqual(['10.1.0.3']);
  });

  test.each(['', '/owners', '/boot'])('.fairlead/net%s lost', (path) => {
    give(alice);
    rmSync(`${dataDir}/.fairlead/net${path}`, { recursive: true });
    expect(held(alice)).toEqual(['10.1.0.2']);
  });

  test('a store and an index that the kernel stamped at once, after a process was killed', () => {
    give(alice);
    rmSync(file('10.1.0.2'));
    const then = Date.now() / 1000;
    for (const path of [`${dataDir}/net`, `${dataDir}/.fairlead/net/owners`]) utimesSync(path, then, then);
    expect(held(alice)).toEqual([]);
  });

  test('an index of whole seconds, where a later change may have the same time', () => {
    give(alice);
    const then = Math.floor(Date.now() / 1000);
    rmSync(file('10.1.0.2'));
    utimesSync(`${dataDir}/net`, then, then);
    utimesSync(`${dataDir}/.fairlead/net/owners`, then - 3600, then - 3600);
    expect(held(alice)).toEqual([]);
  });

  test('what a killed process left of a file goes with the next call', () => {
    give(alice);
    writeFileSync(file('.fairlead-new'), 'bob\r\neth0');
    expect(give(bob)).toEqual(['10.1.0.3']);
    expect(readdirSync(`${dataDir}/net`)).not.toContain('.fairlead-new');
  });
});

describe('what is no reservation', () => {
  test('keeps its address taken, and is nobody’s', () => {
    mkdirSync(file('10.1.0.2'), { recursive: true });
    symlinkSync('/etc/hostname', file('10.1.0.3'));
    writeFileSync(file('10.1.0.4'), 'alice\r\neth0\r\nmore');
    writeFileSync(file('10.1.0.5'), 'x'.repeat(100_000));
    expect(held(alice)).toEqual([]);
    expect(give(alice)).toEqual(['10.1.0.6']);
    within((store) => store.release(alice));
    const kept = ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5'];
    expect(readdirSync(`${dataDir}/net`)).toEqual(expect.arrayContaining(kept));
  });

  test('an empty private file is the reference’s, killed half-way; an empty public one an operator’s', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), '', { mode: 0o600 });
    writeFileSync(file('10.1.0.3'), '', { mode: 0o644 });
    expect(within((store) => store.releaseWhere(({ abandoned }) => abandoned)).length).toBe(1);
    expect(readdirSync(`${dataDir}/net`)).toContain('10.1.0.3');
  });

  test('a name or an owner of an old version does not reach other files', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), 'alice\r\n../../../escape');
    writeFileSync(file('10.1.0.3'), '../../escape\r\neth0');
    expect(held({ containerId: 'alice', ifname: '../../../escape' })).toEqual(['10.1.0.2']);
    expect(readdirSync(dataDir).sort()).toEqual(['.fairlead', 'net']);
  });
});

test('a store that never was is not made by a look at it', () => {
  expect(openExistingStore(dataDir, 'net')).toBeUndefined();
  expect(readdirSync(dataDir)).toEqual([]);
});

test('the longest container id and interface name there are', () => {
  const owner = { containerId: 'c'.repeat(255), ifname: 'i'.repeat(15) };
  expect(give(owner)).toEqual(['10.1.0.2']);
  expect(held(owner)).toEqual(['10.1.0.2']);
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

  test('a failure takes nothing from the owner that this call did not give', () => {
    const other: RangeSet = [completeRange({ subnet: '10.2.0.0/29' })];
    give(alice);
    expect(() => within((store) => allocate(store, [other], [address('10.1.0.3')], alice))).toThrow(
      '10.1.0.3, which no range',
    );
    const full: RangeSet = [completeRange({ subnet: '10.3.0.0/30', rangeStart: '10.3.0.2' })];
    within((store) => allocate(store, [full], [], bob));
    expect(() => within((store) => allocate(store, [other, full], [], alice))).toThrow('range set 1');
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
