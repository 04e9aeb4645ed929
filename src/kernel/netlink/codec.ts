/**
 * Codecs: a value's layout declared once, which gives its TypeScript type, its encoder and its decoder.
 *
 * A codec stands for an attribute's payload or a structure's field. Everything that is read is checked
 * against its length; a codec throws CodecError and never guesses.
 */
import { bytesFromText, textFromBytes } from '../../lib/bytes.ts';
import { addressFromBytes, addressToBytes, type IpAddress } from '../../lib/ip.ts';
import { type MacAddress, macFromBytes, macToBytes } from '../../lib/mac.ts';
import { CodecError, readBe16, readBe32, readU8, readU16, readU32, viewOf, type Writer } from './bytes.ts';

/** How a value of type T is laid out in bytes. What decode returns decides T where it is inferred. */
export interface Codec<T> {
  /** The payload is attributes again, which the attribute's type has to say (NLA_F_NESTED). */
  readonly nested?: true;
  encode(writer: Writer, value: NoInfer<T>): void;
  decode(bytes: Uint8Array): T;
}

/** A codec whose values always take the same number of bytes, so that it can be a structure's field. */
export interface FixedCodec<T> extends Codec<T> {
  readonly size: number;
  /** What stands in the field when the structure's value does not say. */
  readonly zero: T;
  /** Reads the value at an offset; that the bytes are there was checked. */
  readAt(bytes: Uint8Array, offset: number): T;
}

/** The TypeScript type that a codec decodes to. */
export type ValueOf<C> = C extends { decode(bytes: Uint8Array): infer T } ? T : never;

/** A fixed codec of these parts. Attributes may be longer than the value: the kernel pads some, and newer ones append fields. */
function fixed<T>(
  size: number,
  zero: T,
  encode: (writer: Writer, value: NoInfer<T>) => void,
  readAt: (bytes: Uint8Array, offset: number) => T,
): FixedCodec<T> {
  return { size, zero, encode, readAt, decode: (bytes) => readAt(atLeast(bytes, size), 0) };
}

/** An integer; the writer gets it as it is, negative or not. */
function integer(
  size: number,
  min: number,
  max: number,
  write: (writer: Writer, value: number) => void,
  readAt: (bytes: Uint8Array, offset: number) => number,
): FixedCodec<number> {
  const encode = (writer: Writer, value: number) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new CodecError(`${value} is not an integer from ${min} to ${max}`);
    }
    write(writer, value);
  };
  return fixed(size, 0, encode, readAt);
}

function atLeast(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length < size) throw new CodecError(`${bytes.length} bytes where ${size} are needed`);
  return bytes;
}

const max32 = 0xffff_ffff;

/** Unsigned and signed integers in host byte order. */
export const u8 = integer(1, 0, 0xff, (writer, value) => writer.u8(value), readU8);
export const u16 = integer(2, 0, 0xffff, (writer, value) => writer.u16(value), readU16);
export const u32 = integer(4, 0, max32, (writer, value) => writer.u32(value), readU32);
export const i32 = integer(
  4,
  -0x8000_0000,
  0x7fff_ffff,
  (writer, value) => writer.u32(value >>> 0),
  (bytes, offset) => readU32(bytes, offset) | 0,
);

/** Unsigned integers in network byte order. */
export const be16 = integer(2, 0, 0xffff, (writer, value) => writer.be16(value), readBe16);
export const be32 = integer(4, 0, max32, (writer, value) => writer.be32(value), readBe32);

/** 64-bit unsigned integers, host and network byte order. */
export const u64 = fixed(
  8,
  0n,
  (writer, value) => writer.u64(value),
  (bytes, offset) => viewOf(bytes).getBigUint64(offset, true),
);
export const be64 = fixed(
  8,
  0n,
  (writer, value) => writer.be64(value),
  (bytes, offset) => viewOf(bytes).getBigUint64(offset, false),
);

/** Bytes that a structure reserves: written as zeros, not read. */
export function reserved(size: number): FixedCodec<undefined> {
  return fixed<undefined>(
    size,
    undefined,
    (writer) => writer.zeros(size),
    () => undefined,
  );
}

/** A NUL-terminated string (NLA_NUL_STRING). A NUL inside is refused. */
export const cstring: Codec<string> = {
  encode: (writer, value) => {
    if (value.includes('\0')) throw new CodecError(`${JSON.stringify(value)} contains a NUL character`);
    writer.bytes(bytesFromText(value));
    writer.u8(0);
  },
  decode: (bytes) => {
    const end = bytes.indexOf(0);
    return textFromBytes(end < 0 ? bytes : bytes.subarray(0, end));
  },
};

/** Bytes as they are. Decoded bytes are a copy, which does not keep the whole datagram alive. */
export const rawBytes: Codec<Uint8Array> = {
  encode: (writer, value) => writer.bytes(value),
  decode: (bytes) => bytes.slice(),
};

/** An attribute that says something by being there (NLA_FLAG). */
export const flag: Codec<true> = { encode: () => undefined, decode: () => true };

/** A hardware address; six bytes on Ethernet, other lengths elsewhere. */
export const macAddress: Codec<MacAddress> = {
  encode: (writer, value) => writer.bytes(macToBytes(value)),
  decode: macFromBytes,
};

/** An IPv4 or IPv6 address: 4 or 16 bytes, which tell the family. */
export const ipAddress: Codec<IpAddress> = {
  encode: (writer, value) => writer.bytes(addressToBytes(value)),
  decode: (bytes) => {
    const address = addressFromBytes(bytes);
    if (address === undefined) throw new CodecError(`an address of ${bytes.length} bytes`);
    return address;
  },
};

/** A structure's fields in their order in memory. */
export type StructFields = Record<string, FixedCodec<unknown>>;

/** The value of a structure: its fields, all present when decoded. */
export type StructValue<F extends StructFields> = { [K in keyof F]: ValueOf<F[K]> };

/** A C structure's codec: fields that are not given are written as zeros, and all are there when read. */
export interface StructCodec<F extends StructFields> {
  readonly size: number;
  encode(writer: Writer, value: { [K in keyof F]?: ValueOf<F[K]> | undefined }): void;
  decode(bytes: Uint8Array): StructValue<F>;
}

/** A C structure, its fields in their order in memory, with padding declared by `reserved`. */
export function struct<F extends StructFields>(fields: F): StructCodec<F> {
  const entries = Object.entries(fields);
  let size = 0;
  for (const [, codec] of entries) size += codec.size;
  return {
    size,
    encode: (writer, value) => {
      for (const [name, codec] of entries) codec.encode(writer, value[name] ?? codec.zero);
    },
    decode: (bytes) => {
      atLeast(bytes, size);
      const value: Record<string, unknown> = {};
      let offset = 0;
      for (const [name, codec] of entries) {
        value[name] = codec.readAt(bytes, offset);
        offset += codec.size;
      }
      return value as StructValue<F>;
    },
  };
}
