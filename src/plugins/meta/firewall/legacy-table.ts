/**
 * The table `filter` of iptables-legacy as the kernel has it: linux/netfilter/x_tables.h,
 * linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h.
 */
import { closeSync } from '../../../kernel/sys/file.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { getSocketOption, socket } from '../../../kernel/sys/sockets.ts';
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';
import { addressFromBytes, type IpAddress, type IpFamily } from '../../../lib/ip.ts';

/** A rule. */
export interface LegacyRule {
  /** The chain that it leads to. */
  readonly jump?: string | undefined;
  readonly accepts: boolean;
  /** Its whole source and destination, where they are single addresses. */
  readonly source?: IpAddress | undefined;
  readonly destination?: IpAddress | undefined;
  readonly comment?: string | undefined;
  /** The names of its matches. */
  readonly matches: readonly string[];
}

/** What there is of the table. */
export interface LegacyFilter {
  /** Whether FORWARD drops what no rule decides on. */
  readonly drops: boolean;
  /** The rules of each chain, of the built-in FORWARD too. */
  readonly chains: ReadonlyMap<string, readonly LegacyRule[]>;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
/** IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES; IP6T_ has the same numbers. */
const GET_INFO = 64;
const GET_ENTRIES = 65;
/** NF_INET_FORWARD, linux/netfilter.h. */
const forwardHook = 2;
/** -NF_DROP - 1 and -NF_ACCEPT - 1: verdicts of the standard target. */
const DROP = -1;
const ACCEPT = -2;

/** struct ipt_entry and ip6t_entry: where their fields are, and their sizes. */
const layouts = {
  4: { domain: AF_INET, level: 0, address: 4, offsets: 88, size: 112 },
  6: { domain: AF_INET6, level: 41, address: 16, offsets: 140, size: 168 },
} as const;

/** Headers of matches and targets: a length of 16 bits, a name of 29 bytes, a revision; then their own data. */
const nameAt = 2;
const nameLength = 29;
const dataAt = 32;

/** How often the table is read anew because it was changed between asking for its size and for its entries. */
const attempts = 20;

/** Reads it. Throws SystemError. */
export function readFilter(family: IpFamily): LegacyFilter {
  const { domain } = layouts[family];
  const fd = socket(domain, SOCK_RAW, IPPROTO_RAW, 'socket for iptables-legacy');
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return readOnce(fd, family);
      } catch (error) {
        const isChanged = error instanceof SystemError && error.code === 'EAGAIN';
        if (!isChanged || attempt === attempts) throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function readOnce(fd: number, family: IpFamily): LegacyFilter {
  const { level } = layouts[family];
  // struct ipt_getinfo: the name, the hooks, hook_entry[5], underflow[5], the number of entries, their size.
  const info = new Uint8Array(84);
  info.set(bytesFromText('filter'));
  getSocketOption(fd, level, GET_INFO, info);
  const numbers = new DataView(info.buffer);
  const size = numbers.getUint32(80, true);
  // struct ipt_get_entries: the name, the size, the entries at the next multiple of eight.
  const entries = new Uint8Array(40 + size);
  entries.set(bytesFromText('filter'));
  new DataView(entries.buffer).setUint32(32, size, true);
  getSocketOption(fd, level, GET_ENTRIES, entries);
  const hook = (first: number) => numbers.getUint32(first + 4 * forwardHook, true);
  return decodeFilter(family, entries.subarray(40), { entry: hook(36), underflow: hook(56) });
}

/** An entry before the names of chains are known. */
interface Entry {
  readonly at: number;
  readonly next: number;
  /** The name that begins a chain of a user's: the data of a target ERROR. */
  readonly begins?: string | undefined;
  readonly verdict?: number | undefined;
  readonly rule: LegacyRule;
}

/** Takes the entries apart, given where FORWARD begins, and where the entry is that is its policy. */
function decodeFilter(
  family: IpFamily,
  bytes: Uint8Array,
  forward: { readonly entry: number; readonly underflow: number },
): LegacyFilter {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const entry = decodeEntry(family, bytes, at);
    at = entry.next;
    // The last one is the table's end, and in no chain.
    if (at < bytes.length) entries.push(entry);
  }
  // A jump says where the first rule is, which is behind the entry with the name.
  const names = new Map(
    entries.flatMap(({ begins, next }) => (begins === undefined ? [] : [[next, begins]])),
  );
  const chains = new Map<string, LegacyRule[]>();
  let name: string | undefined;
  for (const { at, begins, verdict, rule } of entries) {
    if (at === forward.entry) name = 'FORWARD';
    if (begins !== undefined) name = begins;
    const rules = name === undefined ? undefined : (chains.get(name) ?? []);
    if (name === undefined || rules === undefined) continue;
    chains.set(name, rules);
    if (at === forward.underflow) name = undefined;
    else if (begins === undefined)
      rules.push({ ...rule, jump: verdict === undefined ? undefined : names.get(verdict) });
  }
  const policy = entries.find(({ at }) => at === forward.underflow)?.verdict;
  // The last entry of a user's chain is its return, as that of a built-in one is its policy.
  for (const [name, rules] of chains) if (name !== 'FORWARD') rules.pop();
  return { drops: policy === DROP, chains };
}

function decodeEntry(family: IpFamily, bytes: Uint8Array, at: number): Entry {
  const { address, offsets, size } = layouts[family];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const targetAt = at + view.getUint16(at + offsets, true);
  const next = at + view.getUint16(at + offsets + 2, true);
  if (next <= at || next > bytes.length) throw new Error(`iptables-legacy: an entry of ${next - at} bytes`);
  const single = (value: number, mask: number) => {
    const isWhole = bytes.subarray(mask, mask + address).every((byte) => byte === 255);
    return isWhole ? addressFromBytes(bytes.slice(value, value + address)) : undefined;
  };
  const matches: string[] = [];
  let comment: string | undefined;
  for (let match = at + size; match < targetAt; match += view.getUint16(match, true)) {
    const name = textAt(bytes, match + nameAt, nameLength);
    matches.push(name);
    if (name === 'comment') comment = textAt(bytes, match + dataAt, 256);
    if (view.getUint16(match, true) === 0) throw new Error('iptables-legacy: a match without length');
  }
  const target = textAt(bytes, targetAt + nameAt, nameLength);
  const verdict = target === '' ? view.getInt32(targetAt + dataAt, true) : undefined;
  return {
    at,
    next,
    begins: target === 'ERROR' ? textAt(bytes, targetAt + dataAt, 30) : undefined,
    verdict,
    rule: {
      accepts: verdict === ACCEPT,
      source: single(at, at + 2 * address),
      destination: single(at + address, at + 3 * address),
      comment,
      matches,
    },
  };
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return textFromBytes(bytes.subarray(at, end < 0 ? at + length : Math.min(end, at + length)));
}
