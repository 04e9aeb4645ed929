/**
 * Data types: how nft calls and numbers what stands in keys and data (enum datatypes, nftables include/datatype.h).
 * The kernel only keeps the number; `nft list` needs it to print elements as addresses or ports.
 */
import {
  addressFromBytes,
  addressToBytes,
  formatAddress,
  type IpAddress,
  type IpFamily,
} from '../../lib/ip.ts';
import { type MacAddress, macFromBytes, macToBytes } from '../../lib/mac.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';

/** A type of values of a fixed size. */
export interface DataType<T> {
  readonly name: string;
  readonly id: number;
  /** Bytes of a value. */
  readonly size: number;
  /** Of the value as a number; nft sorts and prints by it. */
  readonly byteOrder: 'host' | 'network';
  /** Throws RangeError for a value that is not of the type. */
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** The value as nft writes it. */
  format(value: T): string;
}

/** A key's or a datum's types: one, or several that are concatenated. */
export type DataTypes = readonly [DataType<unknown>, ...DataType<unknown>[]];

/** The values of a concatenation, one for each of its types. */
export type ValuesOf<K extends DataTypes> = {
  readonly [I in keyof K]: K[I] extends DataType<infer T> ? T : never;
};

/** Bits that a type takes in the number of a concatenation: TYPE_BITS, nftables include/datatype.h. */
const typeBits = 6;

/** The number of a concatenation, which is the type's own number for one. */
export function concatenatedId(types: DataTypes): number {
  return types.reduce((id, type) => (id << typeBits) | type.id, 0);
}

/** The size of one field: alone as it is, in a concatenation filled up to whole 32-bit registers. */
export function fieldSize(types: DataTypes, type: DataType<unknown>): number {
  return types.length === 1 ? type.size : (type.size + 3) & ~3;
}

/** The size of a concatenation. */
export function concatenatedSize(types: DataTypes): number {
  return types.reduce((sum, type) => sum + fieldSize(types, type), 0);
}

/** Joins values to a key or datum. */
export function encodeValues(types: DataTypes, values: readonly unknown[]): Uint8Array {
  if (values.length !== types.length) {
    throw new RangeError(`${values.length} values for ${typesText(types)}, ${types.length} are needed`);
  }
  const bytes = new Uint8Array(concatenatedSize(types));
  let offset = 0;
  for (const [index, type] of types.entries()) {
    bytes.set(type.encode(values[index]), offset);
    offset += fieldSize(types, type);
  }
  return bytes;
}

/** Splits a key or datum. Throws CodecError for another size. */
export function decodeValues<K extends DataTypes>(types: K, bytes: Uint8Array): ValuesOf<K> {
  const size = concatenatedSize(types);
  if (bytes.length !== size)
    throw new CodecError(`${bytes.length} bytes for ${typesText(types)}, not ${size}`);
  let offset = 0;
  const values = types.map((type) => {
    const value = type.decode(bytes.subarray(offset, offset + type.size));
    offset += fieldSize(types, type);
    return value;
  });
  return values as unknown as ValuesOf<K>;
}

/** `ipv4_addr . inet_service` */
export function typesText(types: DataTypes): string {
  return types.map((type) => type.name).join(' . ');
}

/** `10.1.0.5 . 80` */
export function valuesText(types: DataTypes, values: readonly unknown[]): string {
  return types.map((type, index) => type.format(values[index])).join(' . ');
}

function numberType(
  name: string,
  id: number,
  size: 1 | 2 | 4,
  byteOrder: 'host' | 'network',
  format: (value: number) => string = String,
): DataType<number> {
  const little = byteOrder === 'host';
  return {
    name,
    id,
    size,
    byteOrder,
    encode: (value) => {
      if (!Number.isInteger(value) || value < 0 || value >= 2 ** (size * 8)) {
        throw new RangeError(`${name} ${value}: not an integer of ${size * 8} bits`);
      }
      const bytes = new Uint8Array(size);
      for (let index = 0; index < size; index++) {
        bytes[little ? index : size - 1 - index] = Math.floor(value / 2 ** (8 * index)) % 256;
      }
      return bytes;
    },
    decode: (bytes) => {
      const view = viewOf(bytes);
      if (size === 1) return view.getUint8(0);
      return size === 2 ? view.getUint16(0, little) : view.getUint32(0, little);
    },
    format,
  };
}

function addressType(name: string, id: number, family: IpFamily): DataType<IpAddress> {
  return {
    name,
    id,
    size: family === 4 ? 4 : 16,
    byteOrder: 'network',
    encode: (value) => {
      if (value.family !== family) {
        throw new RangeError(`${name}: ${formatAddress(value)} is not an IPv${family} address`);
      }
      return addressToBytes(value);
    },
    decode: (bytes) => {
      const address = addressFromBytes(bytes);
      if (address === undefined) throw new CodecError(`${name}: ${bytes.length} bytes`);
      return address;
    },
    format: formatAddress,
  };
}

const hex = (value: number) => `0x${value.toString(16)}`;

/** An IPv4 address. */
export const ipv4Addr = addressType('ipv4_addr', 7, 4);
/** An IPv6 address. */
export const ipv6Addr = addressType('ipv6_addr', 8, 6);
/** The address type of a family. */
export function addressTypeOf(family: IpFamily): DataType<IpAddress> {
  return family === 4 ? ipv4Addr : ipv6Addr;
}
/** An IP protocol number: 6 is TCP, 17 UDP, 132 SCTP. */
export const inetProto = numberType('inet_proto', 12, 1, 'network');
/** A port. */
export const inetService = numberType('inet_service', 13, 2, 'network');
/** A packet's or connection's mark. */
export const mark = numberType('mark', 19, 4, 'host', hex);
/** An Ethernet protocol number, e.g. 0x0800 for IPv4. */
export const etherType = numberType('ether_type', 10, 2, 'network', hex);
/** An NFPROTO_ number: 2 is IPv4, 10 IPv6. */
export const nfProto = numberType('nf_proto', 2, 1, 'host', (value) =>
  value === 2 ? 'ipv4' : value === 10 ? 'ipv6' : String(value),
);
/** An interface's index; nft prints the name of the interface that has it. */
export const ifIndex = numberType('iface_index', 20, 4, 'host');
/** A kind of address, RTN_ of linux/rtnetlink.h. */
export const fibAddrType = numberType('fib_addrtype', 38, 4, 'host');
/** A direction of a connection: 0 original, 1 reply. */
export const ctDir = numberType('ct_dir', 27, 1, 'host');
/** Bits of enum ip_conntrack_status, linux/netfilter/nf_conntrack_common.h. */
export const ctStatus = numberType('ct_status', 28, 4, 'host', hex);
/** Bits of a connection's state: NF_CT_STATE_BIT, net/netfilter/nf_conntrack.h. */
export const ctState = numberType('ct_state', 26, 4, 'host', hex);

/** An Ethernet address. */
export const etherAddr: DataType<MacAddress> = {
  name: 'ether_addr',
  id: 9,
  size: 6,
  byteOrder: 'network',
  encode: (value) => {
    const bytes = macToBytes(value);
    if (bytes.length !== 6) throw new RangeError(`ether_addr ${value}: not six bytes`);
    return bytes;
  },
  decode: macFromBytes,
  format: (value) => value,
};

/** An interface's name, at most 15 bytes (IFNAMSIZ). */
export const ifName: DataType<string> = {
  name: 'ifname',
  id: 41,
  size: 16,
  byteOrder: 'host',
  encode: (value) => {
    const text = new TextEncoder().encode(value);
    if (text.length === 0 || text.length > 15 || text.includes(0)) {
      throw new RangeError(`ifname ${JSON.stringify(value)}: 1 to 15 bytes without NUL are allowed`);
    }
    const bytes = new Uint8Array(16);
    bytes.set(text);
    return bytes;
  },
  decode: (bytes) => {
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  },
  format: (value) => `"${value}"`,
};
