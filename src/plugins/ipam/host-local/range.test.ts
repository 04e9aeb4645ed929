import { describe, expect, test } from 'bun:test';
import { formatAddress, parseAddress } from '../../../lib/ip.ts';
import { candidates, completeRange, overlap, type RangeConfig, type RangeSet, sizeOf } from './range.ts';

function set(...configs: [RangeConfig, ...RangeConfig[]]): RangeSet {
  return configs.map(completeRange) as unknown as RangeSet;
}

function order(ranges: RangeSet, last?: string): string[] {
  const from = last === undefined ? undefined : parseAddress(last);
  return [...candidates(ranges, from)].map(({ address }) => formatAddress(address));
}

describe('a range is completed as the reference does it', () => {
  test.each([
    ['10.1.0.0/24', '10.1.0.1', '10.1.0.254', '10.1.0.1'],
    ['10.1.0.0/30', '10.1.0.1', '10.1.0.2', '10.1.0.1'],
    ['fd00::/64', 'fd00::1', 'fd00::ffff:ffff:ffff:ffff', 'fd00::1'],
  ])('%s: %s to %s, gateway %s', (subnet, start, end, gateway) => {
    const range = completeRange({ subnet });
    expect([range.start, range.end, range.gateway].map(formatAddress)).toEqual([start, end, gateway]);
  });

  test.each([
    [{ subnet: '10.1.0.0' }, '`subnet` must be a network'],
    [{ subnet: '10.1.0.7/24' }, 'for /24 it is "10.1.0.0/24"'],
    [{ subnet: '10.1.0.0/31' }, 'too small to allocate from'],
    [{ subnet: 'fd00::/127' }, 'too small to allocate from'],
    [
      { subnet: '10.1.0.0/24', rangeStart: '10.2.0.5' },
      '`rangeStart` 10.2.0.5 must lie in `subnet` 10.1.0.0/24',
    ],
    [{ subnet: '10.1.0.0/24', rangeEnd: 'fd00::1' }, '`rangeEnd` fd00::1 must lie in `subnet`'],
    [{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.8' }, 'must not be above `rangeEnd`'],
    [{ subnet: '10.1.0.0/24', gateway: 'fd00::1' }, '`gateway` fd00::1 must be an IPv4 address'],
    [{ subnet: '10.1.0.0/24', gateway: 'router' }, '`gateway` must be an IP address, got "router"'],
  ])('%j is refused: %s', (config, message) => {
    expect(() => completeRange(config)).toThrow(message);
  });
});

test.each([
  [{ subnet: '0.0.0.0/0' }, '0.0.0.1', '255.255.255.254', '0.0.0.1'],
  [{ subnet: 'fd00::/126' }, 'fd00::1', 'fd00::3', 'fd00::1'],
  [
    { subnet: '10.1.0.0/24', rangeStart: '', rangeEnd: '', gateway: '' },
    '10.1.0.1',
    '10.1.0.254',
    '10.1.0.1',
  ],
  [
    { subnet: '10.1.0.0/24', rangeStart: '::ffff:10.1.0.9', gateway: '10.9.0.1' },
    '10.1.0.9',
    '10.1.0.254',
    '10.9.0.1',
  ],
  [
    { subnet: '10.1.0.0/24', rangeStart: '10.1.0.7', rangeEnd: '10.1.0.7' },
    '10.1.0.7',
    '10.1.0.7',
    '10.1.0.1',
  ],
])('%j is taken as the reference takes it', (config, start, end, gateway) => {
  const range = completeRange(config);
  expect([range.start, range.end, range.gateway].map(formatAddress)).toEqual([start, end, gateway]);
});

test.each([
  [{ subnet: '10.1.0.0/29', rangeStart: '10.1.0.0', rangeEnd: '10.1.0.7' }, 5n],
  [{ subnet: '10.1.0.0/29', gateway: '10.1.0.4' }, 5n],
  [{ subnet: '10.1.0.0/29', gateway: '10.9.0.1' }, 6n],
  [{ subnet: '10.1.0.0/30' }, 1n],
  [{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.1', rangeEnd: '10.1.0.1' }, 0n],
  [{ subnet: 'fd00::/126', rangeStart: 'fd00::' }, 2n],
  [{ subnet: 'fd00::/64' }, 2n ** 64n - 2n],
])('%j gives %d addresses', (config, size) => {
  const range = completeRange(config);
  expect(sizeOf(range)).toBe(size);
  if (size < 100n) expect(order([range])).toHaveLength(Number(size));
});

describe('candidates', () => {
  const four = set({ subnet: '10.1.0.0/24', rangeStart: '10.1.0.1', rangeEnd: '10.1.0.5' });

  test('all addresses but the gateway, from the beginning', () => {
    expect(order(four)).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5']);
  });

  test('round robin: after the last one, each once, the last one last', () => {
    expect(order(four, '10.1.0.3')).toEqual(['10.1.0.4', '10.1.0.5', '10.1.0.2', '10.1.0.3']);
    expect(order(four, '10.1.0.5')).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5']);
  });

  test('a last address of another range begins anew', () => {
    expect(order(four, '10.9.0.3')[0]).toBe('10.1.0.2');
    expect(order(four, 'fd00::3')[0]).toBe('10.1.0.2');
  });

  test('several ranges of a set follow each other', () => {
    const two = set({ subnet: '10.1.0.0/30' }, { subnet: '10.2.0.0/30' });
    expect(order(two)).toEqual(['10.1.0.2', '10.2.0.2']);
    expect(order(two, '10.2.0.2')).toEqual(['10.1.0.2', '10.2.0.2']);
    expect(order(two, '10.1.0.2')).toEqual(['10.2.0.2', '10.1.0.2']);
  });
});

test('ranges overlap when they share an address', () => {
  const [a, b, c] = ['10.1.0.0/24', '10.1.0.128/25', '10.1.1.0/24'].map((subnet) =>
    completeRange({ subnet }),
  );
  if (!a || !b || !c) throw new Error('three ranges');
  expect(overlap(a, b)).toBe(true);
  expect(overlap(b, a)).toBe(true);
  expect(overlap(a, c)).toBe(false);
  expect(overlap(a, completeRange({ subnet: 'fd00::/64' }))).toBe(false);
});
