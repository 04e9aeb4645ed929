import { describe, expect, test } from 'bun:test';
import { formatAddress, formatPrefix } from '../../../../lib/ip.ts';
import {
  addressesIn,
  classlessRoutesIn,
  isHostAddress,
  numberIn,
  prefixLengthIn,
  type ServerRoute,
  searchListIn,
  staticRoutesIn,
  textIn,
} from './option-values.ts';

const one = (code: number, ...bytes: readonly number[]) => new Map([[code, Uint8Array.of(...bytes)]]);
const bytesOf = (text: string) => [...new TextEncoder().encode(text)];
const shown = ({ dst, router }: ServerRoute) => `${formatPrefix(dst)} by ${formatAddress(router)}`;

test('numbers, of their size only', () => {
  expect(numberIn(one(51, 255, 255, 255, 255), 51, 4)).toBe(0xffff_ffff);
  expect(numberIn(one(26, 5, 120), 26, 2)).toBe(1400);
  for (const options of [one(51), one(51, 1), one(51, 1, 2, 3), one(51, 1, 2, 3, 4, 5), one(58, 0, 0, 0, 1)])
    expect(numberIn(options, 51, 4)).toBeUndefined();
});

test('addresses, whole ones', () => {
  expect(addressesIn(one(6, 10, 0, 0, 1, 10, 0, 0, 2), 6).map(formatAddress)).toEqual([
    '10.0.0.1',
    '10.0.0.2',
  ]);
  expect(addressesIn(one(6, 10, 0, 0, 1, 10), 6)).toEqual([]);
  expect(addressesIn(new Map(), 6)).toEqual([]);
});

test('texts, without NULs at their end', () => {
  expect(textIn(one(15, ...bytesOf('example.org'), 0), 15)).toBe('example.org');
  expect(textIn(one(15, 0), 15)).toBeUndefined();
});

test.each<[number[], number | undefined]>([
  [[255, 255, 255, 0], 24],
  [[0, 0, 0, 0], 0],
  [[255, 255, 255, 255], 32],
  [[255, 255, 240, 0], 20],
  [[255, 0, 255, 0], undefined],
  [[0, 255, 255, 255], undefined],
  [[255, 255, 255], undefined],
])('mask %p: %p', (mask, length) => {
  expect(prefixLengthIn(one(1, ...mask))).toBe(length);
});

describe('classless routes', () => {
  test('of every length (RFC 3442)', () => {
    const routes = [0, 1, 2, 3, 4, 8, 10, 5, 6, 7, 8, 9, 10, 128, 9, 9, 9, 9, 32, 1, 2, 3, 4, 0, 0, 0, 0];
    expect(classlessRoutesIn(one(121, ...routes)).map(shown)).toEqual([
      '0.0.0.0/0 by 1.2.3.4',
      '10.0.0.0/8 by 5.6.7.8',
      '10.128.0.0/9 by 9.9.9.9',
      '1.2.3.4/32 by 0.0.0.0',
    ]);
  });

  test.each([
    [[33, 1, 2, 3, 4, 5, 1, 2, 3, 4]],
    [[24, 10, 0, 0, 1, 2, 3]],
    [[0, 1, 2, 3]],
    [[0, 1, 2, 3, 4, 8]],
  ])('that are cut off or too long are none: %p', (bytes) => {
    expect(classlessRoutesIn(one(121, ...bytes))).toEqual([]);
  });
});

test('static routes by class; a part of one is left out, and so are destinations without a class', () => {
  const bytes = [
    10, 1, 0, 0, 1, 1, 1, 1, 172, 16, 0, 0, 2, 2, 2, 2, 192, 0, 2, 0, 3, 3, 3, 3, 224, 0, 0, 0, 4, 4, 4, 4, 1,
  ];
  expect(staticRoutesIn(one(33, ...bytes)).map(shown)).toEqual([
    '10.1.0.0/8 by 1.1.1.1',
    '172.16.0.0/16 by 2.2.2.2',
    '192.0.2.0/24 by 3.3.3.3',
  ]);
});

describe('search list', () => {
  const eng = [3, ...bytesOf('eng'), 5, ...bytesOf('apple'), 3, ...bytesOf('com'), 0];

  test("RFC 3397's example: names that share an end", () => {
    const marketing = [9, ...bytesOf('marketing'), 0xc0, 4];
    expect(searchListIn(one(119, ...eng, ...marketing))).toEqual(['eng.apple.com', 'marketing.apple.com']);
  });

  test.each<[string, number[]]>([
    ['a pointer to itself', [0xc0, 0]],
    ['pointers in a circle', [1, 97, 0xc0, 3, 0xc0, 0]],
    ['a pointer forward', [0xc0, 2, 1, 97, 0]],
    ['half a pointer', [1, 97, 0xc0]],
    ['no end', [3, 97, 97, 97]],
    ['a label that is longer than the rest', [63, 97, 0]],
    ['a length that is none', [0x80, 0]],
    ['what no name has', [3, 97, 10, 98, 0]],
  ])('%s: none', (_what, bytes) => {
    expect(searchListIn(one(119, ...bytes))).toEqual([]);
  });
});

test('addresses of hosts', () => {
  const first = (value: number) => isHostAddress({ family: 4, value: BigInt(value) << 24n });
  expect([0, 127, 224, 255].map(first)).toEqual([false, false, false, false]);
  expect([1, 10, 126, 128, 223].map(first)).toEqual([true, true, true, true, true]);
});
