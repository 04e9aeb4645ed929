import { describe, expect, test } from 'bun:test';
import { address } from '../../lib/ip-literal.ts';
import { CodecError, createWriter } from './bytes.ts';
import {
  be16,
  be32,
  be64,
  type Codec,
  cstring,
  flag,
  i32,
  ipAddress,
  macAddress,
  rawBytes,
  reserved,
  struct,
  u8,
  u16,
  u32,
  u64,
} from './codec.ts';

function encode<T>(codec: Codec<T>, value: NoInfer<T>): number[] {
  const writer = createWriter();
  codec.encode(writer, value);
  return [...writer.finish()];
}

const decode = <T>(codec: Codec<T>, ...bytes: number[]): T => codec.decode(Uint8Array.from(bytes));

describe('integers', () => {
  test.each([
    ['u8', u8, 0xfe, [0xfe]],
    ['u16', u16, 0x0102, [2, 1]],
    ['u32', u32, 0xff000001, [1, 0, 0, 0xff]],
    ['i32', i32, -2, [0xfe, 0xff, 0xff, 0xff]],
    ['be16', be16, 0x0102, [1, 2]],
    ['be32', be32, 0xff000001, [0xff, 0, 0, 1]],
  ] as const)('%s in its byte order, both ways', (_name, codec, value, bytes) => {
    expect(encode(codec, value)).toEqual([...bytes]);
    expect(decode(codec, ...bytes)).toBe(value);
  });

  test('64 bits are bigints', () => {
    const value = 0x0102030405060708n;
    expect(encode(be64, value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(encode(u64, value)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(decode(u64, 8, 7, 6, 5, 4, 3, 2, 1)).toBe(value);
    expect(decode(be64, 1, 2, 3, 4, 5, 6, 7, 8)).toBe(value);
  });

  test.each([
    ['u8', u8, 256],
    ['u8', u8, -1],
    ['u16', u16, 0x10000],
    ['u32', u32, 2 ** 32],
    ['u32', u32, 1.5],
    ['u32', u32, Number.NaN],
    ['i32', i32, 2 ** 31],
    ['be16', be16, -1],
  ] as const)('a %s refuses what does not fit', (_name, codec, value) => {
    expect(() => encode(codec, value)).toThrow(CodecError);
  });

  test('too few bytes are refused, more are not looked at', () => {
    expect(() => decode(u32, 1, 2, 3)).toThrow('3 bytes where 4 are needed');
    expect(() => decode(u64, 1, 2, 3)).toThrow(CodecError);
    expect(decode(u16, 1, 0, 99, 99)).toBe(1);
  });

  test('a decoder reads at its slice of a larger buffer, not at the start of it', () => {
    expect(u16.decode(Uint8Array.of(9, 9, 1, 0).subarray(2))).toBe(1);
  });
});

describe('strings', () => {
  test('end with NUL, and are read up to it or to the end', () => {
    expect(encode(cstring, 'lo')).toEqual([0x6c, 0x6f, 0]);
    expect(decode(cstring, 0x6c, 0x6f, 0)).toBe('lo');
    expect(decode(cstring, 0x6c, 0x6f)).toBe('lo');
    expect(decode(cstring, 0x6c, 0, 0x6f)).toBe('l');
    expect(decode(cstring)).toBe('');
  });

  test('a NUL inside is refused', () => {
    expect(() => encode(cstring, 'eth0\0x')).toThrow('"eth0\\u0000x" contains a NUL character');
  });
});

describe('addresses', () => {
  test.each(['10.1.0.5', 'fd00::5', '0.0.0.0', '255.255.255.255'])('%s', (text) => {
    const one = address(text);
    const bytes = encode(ipAddress, one);
    expect(bytes.length).toBe(one.family === 4 ? 4 : 16);
    expect(decode(ipAddress, ...bytes)).toEqual(one);
  });

  test('of any other length are none', () => {
    expect(() => decode(ipAddress, 1, 2, 3, 4, 5)).toThrow('an address of 5 bytes');
    expect(() => decode(ipAddress)).toThrow(CodecError);
  });

  test('hardware addresses', () => {
    expect(encode(macAddress, '02:00:00:00:0a:ff')).toEqual([2, 0, 0, 0, 10, 255]);
    expect(decode(macAddress, 2, 0, 0, 0, 10, 255)).toBe('02:00:00:00:0a:ff');
  });
});

describe('structures', () => {
  const layout = struct({ family: u8, pad: reserved(1), type: be16, index: i32 });

  test('are their fields in order; what is not given is zero', () => {
    expect(layout.size).toBe(8);
    expect(encode(layout, { family: 7, pad: undefined, type: 0x0102, index: -1 })).toEqual([
      7, 0, 1, 2, 255, 255, 255, 255,
    ]);
    const writer = createWriter();
    layout.encode(writer, { index: 3 });
    expect([...writer.finish()]).toEqual([0, 0, 0, 0, 3, 0, 0, 0]);
  });

  test('are read with every field, and not when a byte is missing', () => {
    expect(decode(layout, 7, 9, 1, 2, 255, 255, 255, 255, 99)).toEqual({
      family: 7,
      pad: undefined,
      type: 0x0102,
      index: -1,
    });
    expect(() => decode(layout, 7, 9, 1, 2, 255, 255, 255)).toThrow('7 bytes where 8 are needed');
  });
});

test('flags are empty and there', () => {
  expect(encode(flag, true)).toEqual([]);
  expect(decode(flag)).toBe(true);
});

test('raw bytes are copied', () => {
  const buffer = Uint8Array.of(1, 2);
  const value = rawBytes.decode(buffer);
  buffer[0] = 9;
  expect([...value]).toEqual([1, 2]);
});

test('a writer grows and keeps what was written', () => {
  const writer = createWriter();
  for (let index = 0; index < 5000; index++) writer.u16(index);
  writer.patchU16(0, 777);
  const view = new DataView(writer.finish().buffer);
  expect(view.byteLength).toBe(10_000);
  expect([view.getUint16(0, true), view.getUint16(2, true), view.getUint16(9998, true)]).toEqual([
    777, 1, 4999,
  ]);
});
