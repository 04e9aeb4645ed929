/** A limit in the numbers that the kernel's token bucket takes: the reference's arithmetic, so that each finds its own by CHECK. */
import type { TokenBucket } from '../../../kernel/rtnetlink/qdisc.ts';
import type { Limit } from './config.ts';

/** How long a packet may wait in the queue, in microseconds. */
const latency = 25_000;
/** The kernel's ticks in a microsecond: /proc/net/psched on every kernel since 2.6.31 (PSCHED_SHIFT 6). */
const ticksPerMicrosecond = 15.625;
/** Go's conversion of a float to a uint32 on 64-bit processors: without the fraction, modulo 2³². */
const uint32 = (value: number): number => Math.trunc(value) % 0x1_0000_0000;

/** The token bucket of a limit. */
export function tokenBucketOf({ rate, burst }: Limit): TokenBucket {
  const bytesPerSecond = Math.floor(rate / 8);
  const burstBytes = Math.floor(burst / 8);
  const microseconds = uint32((burstBytes * 1e6) / bytesPerSecond);
  return {
    rate: bytesPerSecond,
    limit: uint32(uint32((bytesPerSecond * latency) / 1e6) + burstBytes),
    buffer: uint32(microseconds * ticksPerMicrosecond),
  };
}
