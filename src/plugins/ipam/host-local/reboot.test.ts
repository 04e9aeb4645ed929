import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { encodeCacheFile } from '../../../cni/runtime/cache-format.ts';
import { parseAddress } from '../../../lib/ip.ts';
import { address } from '../../../lib/ip-literal.ts';
import { type Boot, currentBoot, forgetEarlierBoots } from './reboot.ts';
import { openStore, type Store } from './store.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(`${tmpdir()}/fairlead-reboot-`);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const minute = 60_000;
const earlier: Boot = { id: 'earlier', earliest: () => Date.now() - 600 * minute };
const now: Boot = { id: 'now', earliest: () => Date.now() - minute };
const file = (name: string) => `${dataDir}/net/${name}`;

function within<T>(boot: Boot | undefined, call: (store: Store) => T): T {
  const store = openStore(dataDir, 'net', () => boot);
  try {
    return call(store);
  } finally {
    store.close();
  }
}

function give(boot: Boot | undefined, containerId: string, text: string): void {
  within(boot, (store) => store.reserve(address(text), { containerId, ifname: 'eth0' }, 0));
}

/** What the reference does. */
function giveByReference(containerId: string, address: string, minutesAgo: number): void {
  mkdirSync(`${dataDir}/net`, { recursive: true });
  writeFileSync(file(address), `${containerId}\r\neth0`, { mode: 0o600 });
  age(file(address), minutesAgo);
}

function age(path: string, minutes: number): void {
  const then = (Date.now() - minutes * minute) / 1000;
  utimesSync(path, then, then);
}

function addresses(): string[] {
  return readdirSync(`${dataDir}/net`)
    .filter((name) => parseAddress(name) !== undefined)
    .sort();
}

describe('a store that only Fairlead used', () => {
  test('is empty after a reboot, whatever the clock says', () => {
    give(earlier, 'alice', '10.1.0.2');
    give(earlier, 'bob', '10.1.0.3');
    within(now, () => undefined);
    expect(addresses()).toEqual([]);
  });

  test('keeps what it gives in one boot, however old it gets', () => {
    give(now, 'alice', '10.1.0.2');
    age(file('10.1.0.2'), 9999);
    give(now, 'bob', '10.1.0.3');
    expect(addresses()).toEqual(['10.1.0.2', '10.1.0.3']);
  });

  test('frees with a DEL, the first call after the reboot, as well', () => {
    give(earlier, 'alice', '10.1.0.2');
    give(earlier, 'bob', '10.1.0.3');
    within(now, (store) => store.release({ containerId: 'alice', ifname: 'eth0' }));
    expect(addresses()).toEqual([]);
    give(now, 'carol', '10.1.0.2');
    expect(addresses()).toEqual(['10.1.0.2']);
  });

  test('keeps a file that an operator put there', () => {
    give(earlier, 'alice', '10.1.0.2');
    writeFileSync(file('10.1.0.9'), '# the printer');
    give(earlier, 'bob', '10.1.0.3');
    within(now, () => undefined);
    expect(addresses()).toEqual(['10.1.0.9']);
  });
});

describe('a store that the reference used too', () => {
  test('what is younger than the boot stays, what is older goes, once', () => {
    giveByReference('old', '10.1.0.2', 5);
    giveByReference('young', '10.1.0.3', 0);
    within(now, () => undefined);
    expect(addresses()).toEqual(['10.1.0.3']);
    age(file('10.1.0.3'), 5);
    within(now, () => undefined);
    expect(addresses()).toEqual(['10.1.0.3']);
  });

  test('after a reboot of a node with both: what the reference gave since stays', () => {
    give(earlier, 'alice', '10.1.0.2');
    age(file('10.1.0.2'), 5);
    giveByReference('young', '10.1.0.3', 0);
    within(now, (store) => store.release({ containerId: 'unknown', ifname: 'eth0' }));
    expect(addresses()).toEqual(['10.1.0.3']);
    give(now, 'bob', '10.1.0.4');
    expect(addresses()).toEqual(['10.1.0.3', '10.1.0.4']);
  });

  test('what the reference left empty in an earlier boot goes', () => {
    mkdirSync(`${dataDir}/net`);
    writeFileSync(file('10.1.0.2'), '', { mode: 0o600 });
    age(file('10.1.0.2'), 5);
    within(now, () => undefined);
    expect(addresses()).toEqual([]);
  });

  const resultOf = (containerId: string, netns: string) =>
    encodeCacheFile({
      network: 'net',
      containerId,
      ifname: 'eth0',
      netns,
      args: [],
      capabilityArgs: {},
      config: new Uint8Array(),
      result: {},
    });

  test.each([
    ['of this boot', 0, '/run/netns/none', true],
    ['whose namespace exists', 5, '/proc/self/ns/net', true],
    ['of an earlier boot, whose namespace is gone', 5, '/run/netns/none', false],
  ])('an old reservation with a cached result %s', (_, minutes, netns, stays) => {
    giveByReference('alice', '10.1.0.2', 5);
    const resultCache = `${dataDir}/results`;
    mkdirSync(resultCache);
    writeFileSync(`${resultCache}/net-alice-eth0`, resultOf('alice', netns));
    age(`${resultCache}/net-alice-eth0`, minutes);
    within(undefined, (store) =>
      forgetEarlierBoots({
        directory: `${dataDir}/net`,
        side: `${dataDir}/.fairlead/net`,
        network: 'net',
        boot: now,
        untouched: false,
        free: store.releaseWhere,
        resultCache,
      }),
    );
    expect(existsSync(file('10.1.0.2'))).toBe(stays);
  });
});

test('where the mark cannot be written, nothing is reserved that would be taken for older', () => {
  give(earlier, 'alice', '10.1.0.2');
  mkdirSync(`${dataDir}/.fairlead/net/boot.new`);
  expect(() => give(now, 'bob', '10.1.0.3')).toThrow('cannot keep this boot’s id'.replace('’', "'"));
  expect(addresses()).toEqual([]);
});

test('without a boot id nothing is freed', () => {
  giveByReference('old', '10.1.0.2', 9999);
  give(undefined, 'alice', '10.1.0.3');
  expect(addresses()).toEqual(['10.1.0.2', '10.1.0.3']);
});

test('this machine’s boot', () => {
  const boot = currentBoot();
  expect(boot?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(boot?.earliest()).toBeLessThan(Date.now());
  expect(boot?.earliest()).toBeGreaterThan(Date.UTC(2020));
});
