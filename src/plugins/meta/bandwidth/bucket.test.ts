/**
 * A limit in the kernel's numbers. The expected ones are what the reference's plugin (containernetworking-plugins 1.1.1)
 * left in the kernel for these limits, read by its own netlink library's names: test/plugins/bandwidth holds that against it.
 */
import { expect, test } from 'bun:test';
import { tokenBucketOf } from './bucket.ts';
import { ifbName } from './ifb.ts';

test.each([
  // 1 Mbit/s and 1 Mbit: a second's worth is 15,625,000 ticks; 25 ms of 125,000 bytes wait.
  [1e6, 1e6, { rate: 125_000, limit: 128_125, buffer: 15_625_000 }],
  [8_000_000, 80_000, { rate: 1_000_000, limit: 35_000, buffer: 156_250 }],
  // 2³²−1 bits, as containerd gives it: the ticks are taken modulo 2³², as the reference does.
  [10_000_000, 4_294_967_295, { rate: 1_250_000, limit: 536_902_161, buffer: 2_415_919_079 }],
  // More than 32 bits of bytes a second.
  [80_000_000_000, 8_000_000, { rate: 10_000_000_000, limit: 251_000_000, buffer: 1562 }],
  [9, 15, { rate: 1, limit: 1, buffer: 15_625_000 }],
])('%d bits a second, %d bits at once', (rate, burst, expected) => {
  expect(tokenBucketOf({ rate, burst })).toEqual(expected);
});

test('the ifb’s name is the reference’s: sha512 of network and container', () => {
  // printf %s net1test-container | sha512sum | cut -c 1-12
  expect(ifbName({ network: 'net1', containerId: 'test-container' })).toBe('bwpc1e9fb002d06');
});
