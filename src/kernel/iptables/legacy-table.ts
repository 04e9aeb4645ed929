/**
 * A table of iptables-legacy as the kernel has it, taken apart and put together again: a row of entries that name each
 * other by their distance from the start (linux/netfilter/x_tables.h, linux/netfilter_ipv4/ip_tables.h,
 * linux/netfilter_ipv6/ip6_tables.h). Pure.
 */
import { textFromBytes } from '../../lib/bytes.ts';
import type { IpFamily } from '../../lib/ip.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';

/** A rule. */
export interface LegacyRule {
  /** The chain of a user's that it leads to. */
  readonly jump?: string;
  readonly comment?: string;
}

/** A chain that a user made. */
export interface LegacyChain {
  readonly name: string;
  readonly rules: readonly LegacyRule[];
}

/** A table: its entries, and where the built-in chains begin and their policies are, for each of the hooks that it has. */
export interface LegacyTable {
  readonly entries: Uint8Array;
  /** struct ipt_replace: hook_entry and underflow. */
  readonly hookEntries: readonly number[];
  readonly underflows: readonly number[];
}

/** struct ipt_entry, ip6t_entry: their sizes, and where target_offset is, before next_offset. */
const layouts = { 4: { size: 112, offsets: 88 }, 6: { size: 168, offsets: 140 } } as const;

/** struct xt_entry_match, xt_entry_target: 16 bits of length, a name, a revision; then their own data. */
const header = { name: 2, nameLength: 29, data: 32 } as const;

/** XT_FUNCTION_MAXNAMELEN, XT_MAX_COMMENT_LEN. */
const [chainNameLength, commentLength] = [30, 256];

/** One entry: a rule, the name that a user's chain begins with, or the mark of the end. */
interface Entry {
  readonly at: number;
  readonly next: number;
  /** The data of a target ERROR. */
  readonly begins?: string;
  /** Of the standard target: from 0 on the distance of the rule to go on with, below a verdict. */
  readonly verdict?: number;
  /** Where the verdict is. */
  readonly verdictAt: number;
  readonly comment?: string;
}

function entriesOf(family: IpFamily, bytes: Uint8Array): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; at < bytes.length; at = found.at(-1)?.next ?? bytes.length)
    found.push(entryAt(family, bytes, at));
  return found;
}

function entryAt(family: IpFamily, bytes: Uint8Array, at: number): Entry {
  const { offsets, size } = layouts[family];
  const view = viewOf(bytes);
  const target = at + view.getUint16(at + offsets, true);
  const next = at + view.getUint16(at + offsets + 2, true);
  const dataAt = target + header.data;
  if (target < at + size || next < dataAt || next > bytes.length)
    throw new CodecError(`an entry of ${next - at} bytes`);
  const name = textAt(bytes, target + header.name, header.nameLength);
  const comment = commentIn(bytes, at + size, target);
  return {
    at,
    next,
    verdictAt: dataAt,
    ...(name === 'ERROR' && { begins: textAt(bytes, dataAt, chainNameLength) }),
    ...(name === '' && { verdict: view.getInt32(dataAt, true) }),
    ...(comment !== undefined && { comment }),
  };
}

/** What the match `comment` says, among the matches between two places. */
function commentIn(bytes: Uint8Array, from: number, to: number): string | undefined {
  const view = viewOf(bytes);
  for (let at = from; at < to; ) {
    const length = view.getUint16(at, true);
    if (length < header.data) throw new CodecError(`a match of ${length} bytes`);
    if (textAt(bytes, at + header.name, header.nameLength) === 'comment')
      return textAt(bytes, at + header.data, commentLength);
    at += length;
  }
  return undefined;
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return textFromBytes(bytes.subarray(at, end < 0 ? at + length : Math.min(end, at + length)));
}

/** An entry with the chain that it is in: of the built-in ones, whose names are the hooks', an empty text. */
interface Placed extends Entry {
  readonly chain: string;
}

/** The entries with their chains. The last one has the name ERROR, which ends the table and is no chain. */
function placed(family: IpFamily, bytes: Uint8Array): Placed[] {
  let chain = '';
  return entriesOf(family, bytes).map((entry) => {
    chain = entry.next === bytes.length ? '' : (entry.begins ?? chain);
    return { ...entry, chain };
  });
}

/** Chains by the distance of their first rules, by which rules name them. */
function chainStarts(entries: readonly Placed[]): ReadonlyMap<number, string> {
  return new Map(
    entries.flatMap(({ begins, chain, next }) =>
      begins !== undefined && chain !== '' ? [[next, chain]] : [],
    ),
  );
}

/** The chains that users made. Throws CodecError. */
export function chainsIn(family: IpFamily, { entries: bytes }: LegacyTable): LegacyChain[] {
  const entries = placed(family, bytes);
  const starts = chainStarts(entries);
  return [...starts.values()].map((name) => ({
    name,
    rules: entries.filter(({ chain, begins }) => chain === name && begins === undefined).map(ruleOf(starts)),
  }));
}

/** The rules of the built-in chains, policies among them. Throws CodecError. */
export function builtInRules(family: IpFamily, { entries: bytes }: LegacyTable): LegacyRule[] {
  const entries = placed(family, bytes);
  return entries
    .filter(({ chain, begins }) => chain === '' && begins === undefined)
    .map(ruleOf(chainStarts(entries)));
}

function ruleOf(starts: ReadonlyMap<number, string>) {
  return ({ verdict = -1, comment }: Entry): LegacyRule => {
    const jump = starts.get(verdict);
    return { ...(jump !== undefined && { jump }), ...(comment !== undefined && { comment }) };
  };
}

/** A table without some of its entries, and the numbers of those that it has kept. */
export interface Remainder {
  readonly table: LegacyTable;
  readonly kept: readonly number[];
}

/** The table without these chains and the rules that lead to them. Throws CodecError. */
export function withoutChains(
  family: IpFamily,
  { entries: bytes, hookEntries, underflows }: LegacyTable,
  names: ReadonlySet<string>,
): Remainder {
  const entries = placed(family, bytes);
  const starts = chainStarts(entries);
  const isKept = ({ chain, verdict = -1 }: Placed) =>
    !names.has(chain) && !names.has(starts.get(verdict) ?? '');
  // Where each entry goes; what is removed, to whatever comes next: a rule without target names the one behind it.
  const places = new Map<number, number>();
  const result = new Uint8Array(bytes.length);
  const kept: number[] = [];
  let length = 0;
  for (const [index, entry] of entries.entries()) {
    places.set(entry.at, length);
    if (!isKept(entry)) continue;
    result.set(bytes.subarray(entry.at, entry.next), length);
    kept.push(index);
    length += entry.next - entry.at;
  }
  const view = viewOf(result);
  for (const { at, verdict = -1, verdictAt } of kept.flatMap((index) => entries[index] ?? [])) {
    if (verdict >= 0) view.setInt32(placeOf(places, at) + verdictAt - at, placeOf(places, verdict), true);
  }
  const moved = (distances: readonly number[]) => distances.map((at) => places.get(at) ?? at);
  return {
    table: {
      entries: result.slice(0, length),
      hookEntries: moved(hookEntries),
      underflows: moved(underflows),
    },
    kept,
  };
}

function placeOf(places: ReadonlyMap<number, number>, at: number): number {
  const place = places.get(at);
  if (place === undefined) throw new CodecError(`a rule leads to ${at}, where none begins`);
  return place;
}
