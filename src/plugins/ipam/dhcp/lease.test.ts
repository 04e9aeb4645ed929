import { expect, test } from 'bun:test';
import { parseAddress } from '../../../lib/ip.ts';
import { timesOf } from './lease.ts';

const seconds = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

function times(lease: number | undefined, renew?: number, rebind?: number) {
  const given: readonly (readonly [number, number | undefined])[] = [
    [51, lease],
    [58, renew],
    [59, rebind],
  ];
  const options = new Map(
    given.flatMap(([code, value]) => (value === undefined ? [] : [[code, seconds(value)] as const])),
  );
  const yourAddress = parseAddress('10.0.0.1') ?? { family: 4, value: 0n };
  const {
    renew: t1,
    rebind: t2,
    expire,
  } = timesOf({ transactionId: 0, yourAddress, mac: '', options }, 1000);
  return [t1, t2, expire].map((ms) => (ms - 1000) / 1000);
}

test.each<[string, ReturnType<typeof times>, number[]]>([
  ['as the server says', times(100, 20, 70), [20, 70, 100]],
  ['a half, and 85 of 100 parts', times(100), [50, 85, 100]],
  ['an hour where the server says nothing', times(undefined), [1800, 3060, 3600]],
  ['T1 after the end', times(100, 200, 90), [50, 90, 100]],
  ['T1 at once would ask without an end', times(100, 0, 0), [50, 85, 100]],
  ['T2 before T1', times(100, 90, 10), [90, 90, 100]],
])('%s', (_what, actual, expected) => {
  expect(actual).toEqual(expected);
});

test('for ever', () => {
  const [renew, rebind, expire] = times(0xffff_ffff, 10, 20);
  expect(Math.min(renew ?? 0, rebind ?? 0, expire ?? 0)).toBeGreaterThan(2 ** 40);
});
