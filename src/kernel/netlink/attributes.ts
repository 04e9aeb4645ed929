/** Netlink attributes: type, length, value, nested to any depth (linux/netlink.h, struct nlattr). */
import { align4, CodecError, readU16, type Writer } from './bytes.ts';
import type { Codec, FixedCodec, ValueOf } from './codec.ts';

const headerSize = 4;
/** NLA_TYPE_MASK: the type without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const typeMask = 0x3fff;
const NLA_F_NESTED = 0x8000;

/** One attribute of a message: its number in the kernel's header and the codec of its payload. */
export interface Attribute<T> {
  readonly type: number;
  readonly codec: Codec<T>;
  readonly nested: boolean;
}

/** Declares an attribute by its kernel number. */
export function attribute<T>(type: number, codec: Codec<T>): Attribute<T> {
  return { type, codec, nested: codec.nested === true };
}

/** Attributes by the name that the value's property has. */
export type AttributeFields = Record<string, Attribute<unknown>>;

/** The value of a set of attributes: what is absent (or undefined) is not sent, and was not there. */
export type AttributeValues<F extends AttributeFields> = {
  [K in keyof F]?: (F[K] extends Attribute<infer T> ? T : never) | undefined;
};

/**
 * A set of attributes, each at most once; unknown ones are passed over, as netlink's rules for growth ask. Declaring
 * does no work: a plugin's start declares many that it never uses.
 */
export function attributes<F extends AttributeFields>(fields: F): Codec<AttributeValues<F>> {
  let byType: ReadonlyMap<number, string> | undefined;
  return {
    nested: true,
    encode: (writer, value) => {
      for (const name in fields) {
        const item = fields[name];
        if (item !== undefined && value[name] !== undefined) writeAttribute(writer, item, value[name], name);
      }
    },
    decode: (bytes) => {
      byType ??= new Map(Object.entries(fields).map(([name, { type }]) => [type, name]));
      const value: Record<string, unknown> = {};
      const names = byType;
      eachAttribute(bytes, (type, start, end) => {
        const name = names.get(type);
        const item = name === undefined ? undefined : fields[name];
        if (name !== undefined && item !== undefined)
          value[name] = decodeAt(item.codec, bytes, start, end, name);
      });
      return value as AttributeValues<F>;
    },
  };
}

/** A list whose elements are attributes all of one type (NFTA_LIST_ELEM, for one). */
export function listOf<T>(type: number, element: Codec<T>): Codec<T[]> {
  const item = attribute(type, element);
  return {
    nested: true,
    encode: (writer, values) => {
      for (const value of values) writeAttribute(writer, item, value, `element of type ${type}`);
    },
    decode: (bytes) =>
      readAttributes(bytes)
        .filter((found) => found.type === type)
        .map(({ payload, offset }) => {
          const start = offset + headerSize;
          return decodeAt(element, bytes, start, start + payload.length, `element of type ${type}`);
        }),
  };
}

/** A choice of codec by another attribute's value (IFLA_INFO_KIND chooses IFLA_INFO_DATA): decoded by the caller, from a view. */
export function nestedBytes(): Codec<Uint8Array> {
  return {
    nested: true,
    encode: (writer, value) => writer.bytes(value),
    decode: (bytes) => bytes,
  };
}

/** Decodes the payload from `start` to `end`. */
function decodeAt<C extends Codec<unknown>>(
  codec: C,
  bytes: Uint8Array,
  start: number,
  end: number,
  name: string,
): ValueOf<C> {
  const { size, readAt } = codec as Partial<FixedCodec<unknown>>;
  if (readAt !== undefined && size !== undefined && end - start >= size) {
    return readAt(bytes, start) as ValueOf<C>;
  }
  try {
    return codec.decode(bytes.subarray(start, end)) as ValueOf<C>;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new CodecError(`attribute ${name} at offset ${start - headerSize}: ${error.message}`);
  }
}

function writeAttribute<T>(writer: Writer, item: Attribute<T>, value: T, name: string): void {
  const start = writer.position();
  writer.u16(0);
  writer.u16(item.nested ? item.type | NLA_F_NESTED : item.type);
  try {
    item.codec.encode(writer, value);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new CodecError(`attribute ${name}: ${error.message}`);
  }
  const length = writer.position() - start;
  if (length > 0xffff)
    throw new CodecError(`attribute ${name}: ${length} bytes exceed an attribute's 65,535`);
  writer.patchU16(start, length);
  writer.zeros(align4(length) - length);
}

/** One attribute as it stands in a message: offset counts from the start of the attributes. */
export interface RawAttribute {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly offset: number;
}

/** Splits attributes without knowing them. Throws CodecError when a length does not fit what contains it. */
export function readAttributes(bytes: Uint8Array): RawAttribute[] {
  const found: RawAttribute[] = [];
  eachAttribute(bytes, (type, start, end) => {
    found.push({ type, payload: bytes.subarray(start, end), offset: start - headerSize });
  });
  return found;
}

/** Calls `visit` with each attribute's type and where its payload starts and ends. */
function eachAttribute(bytes: Uint8Array, visit: (type: number, start: number, end: number) => void): void {
  let offset = 0;
  while (offset < bytes.length) {
    const rest = bytes.length - offset;
    if (rest < headerSize) throw new CodecError(`${rest} bytes left over at offset ${offset}`);
    const length = readU16(bytes, offset);
    if (length < headerSize || length > rest) {
      throw new CodecError(`attribute at offset ${offset} says ${length} bytes, ${rest} are there`);
    }
    visit(readU16(bytes, offset + 2) & typeMask, offset + headerSize, offset + length);
    offset += align4(length);
  }
}
