/**
 * An entry of a table of iptables-legacy: struct ipt_entry or ip6t_entry, then matches, then a target
 * (linux/netfilter/x_tables.h, linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h). Pure.
 */
import { addressFromBytes, type IpAddress, type IpFamily } from '../../lib/ip.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';
import { fixedText, textAt, type XtMatch } from './match.ts';

/**
 * The structs' sizes, and where target_offset is, before next_offset. They begin with source, destination and their masks;
 * `inverted` is where the bits of invflags are.
 */
const layouts = {
  4: { address: 4, inverted: 83, offsets: 88, size: 112 },
  6: { address: 16, inverted: 132, offsets: 140, size: 168 },
} as const;

/** IPT_INV_SRCIP, IPT_INV_DSTIP; those of IPv6 are the same. */
const [invertedSource, invertedDestination] = [8, 16];

/** struct xt_entry_match, xt_entry_target: 16 bits of length, a name, a revision; then their own data, a multiple of eight. */
const header = { name: 2, nameLength: 29, revision: 31, data: 32 } as const;

/** XT_FUNCTION_MAXNAMELEN. */
const chainNameLength = 30;

/** The target of a rule that begins a chain, or ends the table. */
const ERROR = 'ERROR';

/** A verdict of the standard target: -NF_ACCEPT - 1, -NF_DROP - 1, XT_RETURN. */
export const verdicts = { accept: -2, drop: -1, return: -5 } as const;

/** One entry: a rule, the name that a user's chain begins with, or the mark of the end. */
export interface Entry {
  readonly bytes: Uint8Array;
  readonly matches: readonly XtMatch[];
  /** The data of a target ERROR. */
  readonly begins?: string;
  /** Of the standard target: from 0 on the distance of the rule to go on with, below one of `verdicts`. */
  readonly verdict?: number;
}

/** The entry at a place of a table. Throws CodecError. */
export function decodeEntry(family: IpFamily, table: Uint8Array, at: number): Entry {
  const { offsets, size } = layouts[family];
  const view = viewOf(table);
  if (at + size > table.length) throw new CodecError(`an entry of ${table.length - at} bytes`);
  const target = view.getUint16(at + offsets, true);
  const length = view.getUint16(at + offsets + 2, true);
  if (target < size || length < target + header.data + 4 || at + length > table.length)
    throw new CodecError(`an entry of ${length} bytes`);
  const bytes = table.subarray(at, at + length);
  const name = textAt(bytes, target + header.name, header.nameLength);
  return {
    bytes,
    matches: matchesIn(bytes.subarray(size, target)),
    ...(name === ERROR && { begins: textAt(bytes, target + header.data, chainNameLength) }),
    ...(name === '' && { verdict: viewOf(bytes).getInt32(target + header.data, true) }),
  };
}

function matchesIn(bytes: Uint8Array): XtMatch[] {
  const found: XtMatch[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.length - at < header.data ? 0 : viewOf(bytes).getUint16(at, true);
    if (length < header.data || at + length > bytes.length)
      throw new CodecError(`a match of ${length} bytes`);
    found.push({
      name: textAt(bytes, at + header.name, header.nameLength),
      revision: bytes[at + header.revision] ?? 0,
      info: bytes.subarray(at + header.data, at + length),
    });
    at += length;
  }
  return found;
}

/** What an entry is made of that is for any packet but for its matches. */
export type NewEntry =
  | { readonly matches: readonly XtMatch[]; readonly verdict: number }
  | { readonly begins: string };

/** Makes an entry. Throws CodecError for a name that is too long. */
export function makeEntry(family: IpFamily, wanted: NewEntry): Entry {
  const { offsets, size } = layouts[family];
  const matches = 'begins' in wanted ? [] : wanted.matches;
  const target =
    'begins' in wanted
      ? extension(ERROR, 0, fixedText(wanted.begins, chainNameLength))
      : extension('', 0, new Uint8Array(Int32Array.of(wanted.verdict).buffer));
  const parts = [...matches.map(({ name, revision, info }) => extension(name, revision, info)), target];
  const length = parts.reduce<number>((sum, part) => sum + part.length, size);
  const bytes = new Uint8Array(length);
  let at = size;
  for (const part of parts) {
    viewOf(bytes).setUint16(offsets, at, true);
    bytes.set(part, at);
    at += part.length;
  }
  viewOf(bytes).setUint16(offsets + 2, length, true);
  return { bytes, matches, ...wanted };
}

/** A match or a target. */
function extension(name: string, revision: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.data + Math.ceil(data.length / 8) * 8);
  viewOf(bytes).setUint16(0, bytes.length, true);
  bytes.set(fixedText(name, header.nameLength), header.name);
  bytes[header.revision] = revision;
  bytes.set(data, header.data);
  return bytes;
}

/** Where in an entry with the standard target its verdict is. */
export function verdictAt(family: IpFamily, { bytes }: Entry): number {
  return viewOf(bytes).getUint16(layouts[family].offsets, true) + header.data;
}

/** The single addresses that an entry asks for, source and destination. */
export function addressesIn(
  family: IpFamily,
  { bytes }: Entry,
): { readonly source?: IpAddress; readonly destination?: IpAddress } {
  const { address, inverted } = layouts[family];
  const single = (which: 0 | 1, inversion: number) => {
    const field = (index: number) => bytes.slice(index * address, (index + 1) * address);
    const isOne = field(which + 2).every((byte) => byte === 255) && !((bytes[inverted] ?? 0) & inversion);
    return isOne ? addressFromBytes(field(which)) : undefined;
  };
  const [source, destination] = [single(0, invertedSource), single(1, invertedDestination)];
  return { ...(source && { source }), ...(destination && { destination }) };
}

/** Whether an entry's own struct has more than addresses: a protocol, an interface, the opposite of something, a goto. */
export function asksMore(family: IpFamily, { bytes }: Entry): boolean {
  const { address, inverted } = layouts[family];
  return bytes.subarray(4 * address, inverted + 1).some((byte) => byte !== 0);
}
