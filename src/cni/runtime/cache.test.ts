import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createResultCache, type ResultCache } from './cache.ts';
import type { CachedAttachment } from './cache-format.ts';

const root = mkdtempSync(join(tmpdir(), 'fairlead-cache-'));
afterAll(() => rmSync(root, { recursive: true }));

let cacheDir = '';
let cache: ResultCache;
beforeEach(() => {
  cacheDir = join(mkdtempSync(join(root, 'node-')), 'made', 'cni');
  cache = createResultCache(cacheDir);
});

const key = { network: 'net', containerId: 'c1', ifname: 'eth0' };
const entry: CachedAttachment = {
  ...key,
  netns: '/run/netns/a',
  args: [['K', 'v=1']],
  capabilityArgs: { mac: '02:00:00:00:00:01', ips: ['10.0.0.2/24'] },
  config: new TextEncoder().encode('{"name":"net"}'),
  result: { cniVersion: '1.0.0', ips: [{ address: '10.0.0.2/24' }] },
};

/** Puts a text where libcni keeps an attachment. */
function keep(text: string, at = key): void {
  mkdirSync(dirname(cache.path(at)), { recursive: true });
  writeFileSync(cache.path(at), text);
}

test('what is written is read, and listed, and gone when removed', () => {
  cache.write(entry);
  const reading = cache.read(key);
  if (reading.kind !== 'entry') throw new Error(reading.kind);
  const config = Uint8Array.from(reading.entry.config);
  expect({ ...reading.entry, config }).toEqual({ ...entry, config: Uint8Array.from(entry.config) });
  expect(cache.list()).toHaveLength(1);
  cache.remove(key);
  expect(cache.read(key)).toEqual({ kind: 'none' });
  expect(cache.list()).toEqual([]);
  cache.remove(key);
});

test('in libcni’s place, for root’s eyes only, nothing half-written beside it', () => {
  cache.write(entry);
  const file = join(cacheDir, 'results', 'net-c1-eth0');
  expect(cache.path(key)).toBe(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(cacheDir).mode & 0o777).toBe(0o700);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(cacheDir, 'results', '.writing'))).toEqual([]);
});

test('the namespace in an entry of a libcni that kept none is the one that the result names', () => {
  const namespaceWith = (sandbox: string | undefined) => {
    const interfaces = [{ name: 'cni0' }, { name: 'eth0', ...(sandbox === undefined ? {} : { sandbox }) }];
    cache.write({ ...entry, netns: '', result: { cniVersion: '1.0.0', interfaces } });
    const reading = cache.read(key);
    return reading.kind === 'entry' ? reading.entry.netns : reading.kind;
  };
  expect(namespaceWith('/run/netns/b')).toBe('/run/netns/b');
  expect(namespaceWith('vm-1')).toBe('');
  expect(namespaceWith(undefined)).toBe('');
});

test('an older entry is replaced as a whole', () => {
  keep('x'.repeat(100_000));
  cache.write(entry);
  expect(JSON.parse(readFileSync(cache.path(key), 'utf8')).ifName).toBe('eth0');
});

test('a write that was killed leaves nothing that is read, and DEL takes it away', () => {
  cache.write(entry);
  const half = join(cacheDir, 'results', '.writing', 'net-c1-eth0');
  writeFileSync(half, '{"kind":');
  expect(cache.list()).toHaveLength(1);
  cache.remove(key);
  expect(readdirSync(dirname(half))).toEqual([]);
});

test('nothing is kept where nothing was ever written', () => {
  expect(cache.read(key)).toEqual({ kind: 'none' });
  expect(cache.list()).toEqual([]);
  cache.remove(key);
});

describe('two attachments whose ids give one file name', () => {
  const twin = { network: 'net-c1', containerId: 'x', ifname: 'eth0' };
  const first = { network: 'net', containerId: 'c1-x', ifname: 'eth0' };

  test('are told apart, and one does not remove the other’s', () => {
    cache.write({ ...entry, ...first });
    expect(cache.path(twin)).toBe(cache.path(first));
    expect(cache.read(twin)).toMatchObject({ kind: 'foreign', owner: first });
    cache.remove(twin);
    expect(cache.read(first).kind).toBe('entry');
  });
});

describe('what others left', () => {
  test.each([
    ['', 'unreadable'],
    ['garbage', 'unreadable'],
    ['[]', 'unreadable'],
    ['null', 'unreadable'],
    ['{"kind":"cniCacheV2"}', 'unreadable'],
    ['{"kind":"cniCacheV1"}', 'unreadable'],
    [
      '{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net","result":[]}',
      'unreadable',
    ],
    [
      '{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net","cniArgs":[["a"]]}',
      'unreadable',
    ],
    ['{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net","netns":7}', 'unreadable'],
    ['{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","networkName":"net"}', 'entry'],
    ['{"cniVersion":"0.3.1","ips":[]}', 'legacy'],
  ])('%s', (text, kind) => {
    keep(text);
    expect(cache.read(key).kind).toBe(kind as never);
    expect(cache.list()).toHaveLength(kind === 'entry' ? 1 : 0);
    cache.remove(key);
    expect(cache.read(key).kind).toBe('none');
  });

  test('a file under another’s name is not listed', () => {
    cache.write(entry);
    const text = readFileSync(cache.path(key), 'utf8');
    keep(text, { ...key, containerId: 'c2' });
    writeFileSync(join(cacheDir, 'results', 'moved'), text);
    expect(cache.list().map(({ containerId }) => containerId)).toEqual(['c1']);
  });

  test('ids that lead out of the folder are not listed', () => {
    const outside = { ...key, network: '../../net' };
    keep(
      JSON.stringify({ kind: 'cniCacheV1', containerId: 'c1', ifName: 'eth0', networkName: outside.network }),
    );
    expect(cache.list()).toEqual([]);
  });
});
