/** Whatever bytes arrive, decoders return or throw CodecError: no other error, no endless loop, no read beyond. */
import { describe, expect, test } from 'bun:test';
import { CodecError, createWriter } from '../netlink/bytes.ts';
import { decodeAcknowledgement } from '../netlink/error.ts';
import { readFrames, writeFrame } from '../netlink/message.ts';
import { decodeBridgePort } from './bridge-port-data.ts';
import { decodeLinkData } from './kinds/kinds.ts';
import { linkMessage } from './link-message.ts';
import { neighbourMessage } from './neighbour-message.ts';
import { routeMessage } from './route-message.ts';
import { trafficControlMessage } from './traffic-control.ts';

/** xorshift32: the same bytes at every run, so that a failure can be had again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const decoders: Record<string, (bytes: Uint8Array) => unknown> = {
  frames: readFrames,
  acknowledgement: (bytes) => decodeAcknowledgement(bytes, 0x300),
  link: (bytes) => linkMessage.decode(bytes),
  route: (bytes) => routeMessage.decode(bytes),
  neighbour: (bytes) => neighbourMessage.decode(bytes),
  'bridge port': decodeBridgePort,
  bridge: (bytes) => decodeLinkData('bridge', bytes),
  macvlan: (bytes) => decodeLinkData('macvlan', bytes),
  veth: (bytes) => decodeLinkData('veth', bytes),
  'traffic control': (bytes) => trafficControlMessage.decode(bytes),
};

function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): 'value' | 'refused' {
  try {
    decode(bytes);
    return 'value';
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return 'refused';
  }
}

/** Something that decoders get far into, for changes to start from. */
function sample(): Uint8Array {
  const link = linkMessage.encode(
    { index: 5, flags: 1 },
    {
      name: 'eth0',
      mtu: 1500,
      mac: '02:00:00:00:00:01',
      operState: 'up',
      info: { kind: 'bridge', data: new Uint8Array(8) },
    },
  );
  const route = routeMessage.encode(
    { family: 2, dstLength: 8 },
    {
      dst: { family: 4, value: 10n << 24n },
      metrics: { mtu: 1400 },
      nextHops: [
        { flags: 0, hops: 0, oif: 2, gateway: { family: 4, value: 1n } },
        { flags: 0, hops: 1, oif: 3, via: { family: 6, value: 1n } },
      ],
    },
  );
  const writer = createWriter();
  writeFrame(writer, 16, 2, 1, link);
  writeFrame(writer, 24, 2, 1, route);
  return writer.finish();
}

describe.each(Object.entries(decoders))('%s', (_name, decode) => {
  test('random bytes of random lengths', () => {
    const next = generator(0x5eed);
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: next() % 200 }, () => next() & 0xff);
      outcome(decode, bytes);
    }
  });

  test('random attributes with honest lengths', () => {
    const next = generator(0xa77);
    let values = 0;
    for (let round = 0; round < 2000; round++) {
      const writer = createWriter();
      writer.zeros([0, 8, 12, 16, 20][next() % 5] ?? 0);
      for (let count = next() % 6; count > 0; count--) {
        const length = next() % 24;
        writer.u16(length + 4);
        writer.u16(next() % 60);
        for (let index = 0; index < (length + 3) >> 2; index++) writer.u32(next());
      }
      if (outcome(decode, writer.finish()) === 'value') values++;
    }
    expect(values).toBeGreaterThan(0);
  });
});

test('a good datagram with any one byte changed to any value', () => {
  const good = sample();
  const both = (bytes: Uint8Array) => {
    for (const frame of readFrames(bytes))
      (frame.type === 16 ? linkMessage : routeMessage).decode(frame.body);
  };
  expect(outcome(both, good)).toBe('value');
  let refused = 0;
  for (let offset = 0; offset < good.length; offset++) {
    for (const value of [0, 1, 3, 4, 5, 0x7f, 0x80, 0xfe, 0xff]) {
      const bad = good.slice();
      bad[offset] = value;
      if (outcome(both, bad) === 'refused') refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test('nothing beyond the slice handed over is read', () => {
  const good = sample();
  const [frame] = readFrames(good);
  if (frame === undefined) throw new Error('no frame');
  for (let length = 0; length < frame.body.length; length++) {
    const alone = outcome(linkMessage.decode, frame.body.slice(0, length));
    expect(outcome(linkMessage.decode, frame.body.subarray(0, length))).toBe(alone);
  }
});
