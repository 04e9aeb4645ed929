import { describe, expect, test } from 'bun:test';
import { attribute, attributes, listOf, nestedBytes, readAttributes } from './attributes.ts';
import { CodecError, createWriter } from './bytes.ts';
import { type Codec, cstring, flag, rawBytes, struct, u8, u16, u32 } from './codec.ts';

function encode<T>(codec: Codec<T>, value: NoInfer<T>): number[] {
  const writer = createWriter();
  codec.encode(writer, value);
  return [...writer.finish()];
}

const decode = <T>(codec: Codec<T>, ...bytes: number[]): T => codec.decode(Uint8Array.from(bytes));

const set = attributes({
  small: attribute(1, u8),
  name: attribute(2, cstring),
  inner: attribute(3, attributes({ number: attribute(1, u32), there: attribute(2, flag) })),
});

describe('writing', () => {
  test('an attribute is length, type, value, and zeros up to four bytes', () => {
    expect(encode(set, { small: 5 })).toEqual([5, 0, 1, 0, 5, 0, 0, 0]);
    expect(encode(set, { name: 'abc' })).toEqual([8, 0, 2, 0, 97, 98, 99, 0]);
  });

  test('what is absent or undefined is not sent', () => {
    expect(encode(set, {})).toEqual([]);
    expect(encode(set, { small: undefined })).toEqual([]);
    expect(encode(set, { small: 0 })).toEqual([5, 0, 1, 0, 0, 0, 0, 0]);
  });

  test('attributes inside set NLA_F_NESTED, and their length is the outer value', () => {
    expect(encode(set, { inner: { number: 1, there: true } })).toEqual([
      16, 0, 3, 0x80, 8, 0, 1, 0, 1, 0, 0, 0, 4, 0, 2, 0,
    ]);
    expect(encode(attributes({ any: attribute(9, nestedBytes()) }), { any: Uint8Array.of(1) })).toEqual([
      5, 0, 9, 0x80, 1, 0, 0, 0,
    ]);
  });

  test('a value that does not fit says whose it is', () => {
    expect(() => encode(set, { inner: { number: -1 } })).toThrow(
      'attribute inner: attribute number: -1 is not an integer from 0 to 4294967295',
    );
  });

  test('65,535 bytes fit, one more does not', () => {
    const one = attributes({ bytes: attribute(1, rawBytes) });
    expect(encode(one, { bytes: new Uint8Array(65_531) }).length).toBe(65_536);
    expect(() => encode(one, { bytes: new Uint8Array(65_532) })).toThrow(CodecError);
  });
});

describe('reading', () => {
  test('mirrors writing', () => {
    const value = { small: 5, name: 'abc', inner: { number: 7, there: true as const } };
    expect(decode(set, ...encode(set, value))).toEqual(value);
  });

  test('types are told apart without their two flag bits, and unknown ones are passed over', () => {
    expect(decode(set, 5, 0, 1, 0x40, 6, 0, 0, 0, 4, 0, 77, 0)).toEqual({ small: 6 });
  });

  test('the last attribute may come without its padding', () => {
    expect(decode(set, 5, 0, 1, 0, 6)).toEqual({ small: 6 });
  });

  test.each([
    ['a length of zero', [0, 0, 1, 0], 'attribute at offset 0 says 0 bytes, 4 are there'],
    ['a length below the header', [3, 0, 1, 0], 'attribute at offset 0 says 3 bytes, 4 are there'],
    ['a length beyond the end', [9, 0, 1, 0, 1, 0, 0, 0], 'attribute at offset 0 says 9 bytes, 8 are there'],
    ['the second one lying', [5, 0, 1, 0, 1, 0, 0, 0, 99, 0, 1, 0], 'at offset 8 says 99 bytes, 4 are there'],
    ['a piece of a header', [5, 0, 1, 0, 1, 0, 0, 0, 4, 0], '2 bytes left over at offset 8'],
    ['a value too short', [4, 0, 1, 0], 'attribute small at offset 0: 0 bytes where 1 are needed'],
    [
      'one inside lying',
      [8, 0, 3, 0x80, 9, 0, 1, 0],
      'attribute inner at offset 0: attribute at offset 0 says 9',
    ],
  ])('%s is refused with its place', (_what, bytes, message) => {
    expect(() => decode(set, ...bytes)).toThrow(CodecError);
    expect(() => decode(set, ...bytes)).toThrow(message);
  });

  test('deep nesting is as deep as what is declared', () => {
    const bytes = [...Array(4000)].flatMap(() => [0xf0, 0xff, 3, 0x80]);
    expect(() => decode(set, ...bytes)).toThrow(CodecError);
  });
});

describe('lists', () => {
  const list = listOf(2, struct({ flags: u16, id: u16 }));

  test('are attributes of one type, in order', () => {
    const values = [
      { flags: 1, id: 2 },
      { flags: 3, id: 4 },
    ];
    expect(encode(list, values)).toEqual([8, 0, 2, 0, 1, 0, 2, 0, 8, 0, 2, 0, 3, 0, 4, 0]);
    expect(decode(list, ...encode(list, values))).toEqual(values);
  });

  test('leave out elements of other types, and refuse those that are too short', () => {
    expect(decode(list, 5, 0, 9, 0, 1, 0, 0, 0)).toEqual([]);
    expect(() => decode(list, 6, 0, 2, 0, 1, 0, 0, 0)).toThrow(
      'element of type 2 at offset 0: 2 bytes where 4',
    );
  });
});

test('the raw view of attributes tells type, place and value', () => {
  expect(readAttributes(Uint8Array.of(5, 0, 1, 0x80, 7, 0, 0, 0, 4, 0, 2, 0))).toEqual([
    { type: 1, payload: Uint8Array.of(7), offset: 0 },
    { type: 2, payload: new Uint8Array(), offset: 8 },
  ]);
});
