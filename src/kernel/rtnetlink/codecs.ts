/** Codecs that several rtnetlink nouns share: booleans, words for numbers, flag words, address families. */
import { bytesFromText } from '../../lib/bytes.ts';
import type { IpFamily } from '../../lib/ip.ts';
import { CodecError } from '../netlink/bytes.ts';
import { type Codec, cstring, type FixedCodec, u8 } from '../netlink/codec.ts';

/** Address families, linux/socket.h. */
export const AF_UNSPEC = 0;
const AF_INET = 2;
export const AF_BRIDGE = 7;
const AF_INET6 = 10;

/** The kernel's number for an IP family. */
export function addressFamily(family: IpFamily): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** The IP family that the kernel's number means; undefined for other protocols. */
export function ipFamily(addressFamily: number): IpFamily | undefined {
  if (addressFamily === AF_INET) return 4;
  return addressFamily === AF_INET6 ? 6 : undefined;
}

/** A boolean in a byte, as most on/off attributes are. */
export const bool8: Codec<boolean> = {
  encode: (writer, value) => u8.encode(writer, value ? 1 : 0),
  decode: (bytes) => u8.decode(bytes) !== 0,
};

/** A string without NUL at its end (NLA_STRING), for attributes that may be empty. */
export const text: Codec<string> = {
  encode: (writer, value) => {
    if (value.includes('\0')) throw new CodecError(`${JSON.stringify(value)} contains a NUL character`);
    writer.bytes(bytesFromText(value));
  },
  decode: cstring.decode,
};

/** A number that stands for a word. A number that the table lacks (a newer kernel's) reads as undefined. */
export function choice<const T extends Readonly<Record<string, number>>>(
  base: FixedCodec<number>,
  table: T,
): Codec<keyof T | undefined> {
  return {
    encode: (writer, word) => {
      const number = word === undefined ? undefined : table[word];
      if (number === undefined) {
        throw new CodecError(`${String(word)} is none of ${Object.keys(table).join(', ')}`);
      }
      base.encode(writer, number);
    },
    decode: (bytes) => {
      const number = base.decode(bytes);
      for (const word in table) if (table[word] === number) return word;
      return undefined;
    },
  };
}

/** Names of single bits. */
type FlagTable = Readonly<Record<string, number>>;

/** A word of flags as booleans by name. */
export type Flags<T extends FlagTable> = { readonly [K in keyof T]: boolean };

/** Reads each named bit. */
export function readFlags<T extends FlagTable>(table: T, bits: number): Flags<T> {
  const flags: Record<string, boolean> = {};
  for (const name in table) flags[name] = (bits & (table[name] ?? 0)) !== 0;
  return flags as Flags<T>;
}

/** The flag word of the named bits that are true, and as `mask` that of all which are given. */
export function writeFlags<T extends FlagTable>(
  table: T,
  values: { readonly [K in keyof T]?: boolean | undefined },
): { bits: number; mask: number } {
  let bits = 0;
  let mask = 0;
  for (const name in table) {
    const value = values[name];
    const bit = table[name] ?? 0;
    if (value !== undefined) mask |= bit;
    if (value === true) bits |= bit;
  }
  return { bits: bits >>> 0, mask: mask >>> 0 };
}
