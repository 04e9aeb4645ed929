import { describe, expect, test } from 'bun:test';
import { type IpAddress, parseAddress } from '../../../../lib/ip.ts';
import { decodeFrame, encodeFrame } from './packet.ts';

const address = (text: string) => parseAddress(text) as IpAddress;
const datagram = {
  fromMac: '02:00:00:00:00:07',
  toMac: 'ff:ff:ff:ff:ff:ff',
  from: address('0.0.0.0'),
  to: address('255.255.255.255'),
  fromPort: 68,
  toPort: 67,
  payload: Uint8Array.of(1, 2, 3),
};

/** Written by scapy 2.8.0: `Ether(src='02:00:00:00:00:07', dst='ff:ff:ff:ff:ff:ff')/IP(id=0, ttl=64, src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)/b'\\1\\2\\3'`. */
const golden = 'ffffffffffff02000000000708004500001f0000000040117acf00000000ffffffff00440043000bfb4f010203';

test('a frame as another program writes it', () => {
  expect(encodeFrame(datagram).toHex()).toBe(golden);
});

test('there and back, of even and odd length', () => {
  for (const payload of [Uint8Array.of(), Uint8Array.of(9), Uint8Array.of(9, 8)]) {
    const read = decodeFrame(encodeFrame({ ...datagram, from: address('192.0.2.1'), payload }), 67);
    expect(read && [read.fromMac, [...read.payload]]).toEqual([datagram.fromMac, [...payload]]);
  }
});

test("what Ethernet pads is no part of it, nor is what the IP header's length leaves out", () => {
  const frame = encodeFrame(datagram);
  expect([...(decodeFrame(Uint8Array.of(...frame, 0, 0, 0, 0), 67)?.payload ?? [])]).toEqual([1, 2, 3]);
});

describe('no datagram:', () => {
  const changed = (at: number, value: number, fixSum = false) => {
    const frame = encodeFrame(datagram);
    frame[at] = value;
    if (fixSum) {
      const view = new DataView(frame.buffer);
      view.setUint16(24, 0);
      let total = 0;
      for (let index = 14; index < 34; index += 2) total += view.getUint16(index);
      while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
      view.setUint16(24, ~total & 0xffff);
    }
    return frame;
  };
  test.each<[string, Uint8Array]>([
    ['another type', changed(12, 0x86)],
    ['IPv6', changed(14, 0x65, true)],
    ['a header that is shorter than one', changed(14, 0x44, true)],
    ['a header that is longer than the packet', changed(14, 0x4f, true)],
    ['a packet that is longer than the frame', changed(17, 200, true)],
    ['a wrong sum', changed(24, 0)],
    ['a fragment', changed(20, 0x20, true)],
    ['a later fragment', changed(21, 1, true)],
    ['TCP', changed(23, 6, true)],
    ['another port', changed(37, 68)],
    ['a length that is too large', changed(39, 200)],
    ['a length that is too small', changed(39, 7)],
  ])('%s', (_what, frame) => {
    expect(decodeFrame(frame, 67)).toBeUndefined();
  });

  test('cut off anywhere', () => {
    const frame = encodeFrame(datagram);
    for (let length = 0; length < frame.length; length++)
      expect(decodeFrame(frame.subarray(0, length), 67)).toBeUndefined();
  });
});
