/**
 * A table of iptables-legacy as the kernel has it, taken apart into chains and put together again: a row of entries that
 * name each other by their distance from the start. Pure.
 */
import type { IpAddress, IpFamily } from '../../lib/ip.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';
import {
  addressesIn,
  asksMore,
  decodeEntry,
  type Entry,
  makeEntry,
  verdictAt,
  verdicts,
} from './legacy-entry.ts';
import { commentIn } from './match.ts';

/** A rule. */
export interface LegacyRule {
  /** Its place in the chain, from 1. */
  readonly number: number;
  /** The chain of a user's that it leads to. */
  readonly jump?: string;
  readonly accepts: boolean;
  /** The source and the destination that it is for, where that is one address. */
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  /** Whether there is more to it than addresses and matches: a protocol, an interface, any but an address; a goto, too. */
  readonly asksMore: boolean;
  /** The names of its matches: `conntrack`. */
  readonly matches: readonly string[];
  readonly comment?: string;
}

/** A chain. */
export interface LegacyChain {
  readonly name: string;
  /** What becomes of a packet that no rule decides on; only a built-in chain has one. */
  readonly policy?: 'accept' | 'drop';
  readonly rules: readonly LegacyRule[];
}

/** Where a built-in chain begins, and where its policy is. */
interface Hook {
  /** NF_INET_PRE_ROUTING and so on: linux/netfilter.h. */
  readonly hook: number;
  readonly entry: number;
  readonly underflow: number;
}

/** A table. */
export interface LegacyTable {
  readonly entries: Uint8Array;
  readonly hooks: readonly Hook[];
}

/** The built-in chains by their hooks. */
const builtIn = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const;

/** A rule, or the last entry of a chain: a policy, or a return. */
export interface Row {
  readonly entry: Entry;
  /** Which of the entries it was; a new one was none. */
  readonly was?: number;
  /** The chain that it leads to. */
  readonly jump?: string;
  /** Without a target it leads to the row behind it. */
  readonly passes?: boolean;
}

/** A chain, as rows; a built-in one has a hook. */
export interface Chain {
  readonly name: string;
  readonly hook?: number;
  readonly rules: readonly Row[];
  readonly end: Row;
}

/** An entry and where it was. */
interface Placed {
  readonly at: number;
  readonly was: number;
  readonly entry: Entry;
}

function entriesIn(family: IpFamily, bytes: Uint8Array): Placed[] {
  const found: Placed[] = [];
  for (let at = 0; at < bytes.length; ) {
    const entry = decodeEntry(family, bytes, at);
    found.push({ at, was: found.length, entry });
    at += entry.bytes.length;
  }
  if (found.at(-1)?.entry.begins === undefined) throw new CodecError('a table without an end');
  return found;
}

/** A table's chains, in their order. Throws CodecError for what iptables-legacy would not understand either. */
export function takeApart(family: IpFamily, { entries, hooks }: LegacyTable): Chain[] {
  const chains: { name: string; start: number; hook?: Hook; rows: Placed[] }[] = [];
  for (const placed of entriesIn(family, entries).slice(0, -1)) {
    const { at, entry } = placed;
    const hook = hooks.find((one) => one.entry === at);
    if (hook !== undefined) chains.push({ name: builtIn[hook.hook] ?? '', start: at, hook, rows: [] });
    const chain = chains.at(-1);
    if (entry.begins !== undefined)
      chains.push({ name: entry.begins, start: at + entry.bytes.length, rows: [] });
    else if (chain !== undefined) chain.rows.push(placed);
    else throw new CodecError('a rule in no chain');
  }
  // Who leads to a chain names its first row.
  const names = new Map(
    chains.flatMap(({ start, name, hook }) => (hook === undefined ? [[start, name]] : [])),
  );
  return chains.map(({ name, hook, rows }) => {
    const rules = rows.map((placed) => rowOf(placed, names));
    const end = rules.pop();
    if (end === undefined || (hook !== undefined && rows.at(-1)?.at !== hook.underflow))
      throw new CodecError(`chain ${name} without an end`);
    return { name, ...(hook && { hook: hook.hook }), rules, end };
  });
}

function rowOf({ at, was, entry }: Placed, names: ReadonlyMap<number, string>): Row {
  const { verdict = -1, bytes } = entry;
  const jump = names.get(verdict);
  if (jump !== undefined) return { entry, was, jump };
  if (verdict === at + bytes.length) return { entry, was, passes: true };
  if (verdict >= 0) throw new CodecError(`a rule leads to ${verdict}, where no chain begins`);
  return { entry, was };
}

/** A table, and which of the entries that it was taken from each of its entries was. */
export interface Assembled {
  readonly table: LegacyTable;
  readonly was: readonly (number | undefined)[];
}

/** The table of these chains. Throws CodecError where a rule leads to a chain that is not there. */
export function putTogether(family: IpFamily, chains: readonly Chain[]): Assembled {
  const hooks: Hook[] = [];
  const starts = new Map<string, number>();
  const placed: { at: number; row: Row }[] = [];
  let length = 0;
  const place = (row: Row) => {
    placed.push({ at: length, row });
    length += row.entry.bytes.length;
  };
  for (const { name, hook, rules, end } of chains) {
    if (hook === undefined) place({ entry: makeEntry(family, { begins: name }) });
    const start = length;
    rules.forEach(place);
    if (hook === undefined) starts.set(name, start);
    else hooks.push({ hook, entry: start, underflow: length });
    place(end);
  }
  place({ entry: makeEntry(family, { begins: 'ERROR' }) });
  const entries = new Uint8Array(length);
  for (const { at, row } of placed) {
    const { entry, jump, passes } = row;
    entries.set(entry.bytes, at);
    const next = jump === undefined ? at + entry.bytes.length : starts.get(jump);
    if (next === undefined) throw new CodecError(`a rule leads to chain ${jump}, which is not there`);
    if (jump !== undefined || passes) viewOf(entries).setInt32(at + verdictAt(family, entry), next, true);
  }
  return { table: { entries, hooks }, was: placed.map(({ row }) => row.was) };
}

/** What people see of a table's chains. */
export function listed(family: IpFamily, chains: readonly Chain[]): LegacyChain[] {
  return chains.map(({ name, hook, rules, end }) => ({
    name,
    ...(hook !== undefined && { policy: end.entry.verdict === verdicts.drop ? 'drop' : 'accept' }),
    rules: rules.map(({ entry, jump }, index) => {
      const comment = commentIn(entry.matches);
      return {
        number: index + 1,
        accepts: entry.verdict === verdicts.accept,
        ...addressesIn(family, entry),
        asksMore: asksMore(family, entry),
        matches: entry.matches.map((match) => match.name),
        ...(jump !== undefined && { jump }),
        ...(comment !== undefined && { comment }),
      };
    }),
  }));
}
