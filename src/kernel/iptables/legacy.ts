/**
 * Reading and replacing the tables of iptables-legacy: getsockopt(2) and setsockopt(2) on a raw socket, whole tables at a
 * time (linux/netfilter_ipv4/ip_tables.h; IP6T_ has the same numbers and structs).
 */
import { bytesFromText } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import type { IpFamily } from '../../lib/ip.ts';
import { viewOf } from '../netlink/bytes.ts';
import { ptr } from '../sys/ffi.ts';
import { closeSync, constants, openSync, readFileSync } from '../sys/file.ts';
import { SystemError, setSocketOption, socket, tryLockExclusive } from '../sys/libc.ts';
import { getSocketOption } from '../sys/sockets.ts';
import {
  builtInRules,
  chainsIn,
  type LegacyChain,
  type LegacyRule,
  type LegacyTable,
  withoutChains,
} from './legacy-table.ts';

/** AF_INET with SOL_IP, AF_INET6 with SOL_IPV6; and where the kernel lists the tables that are in use. */
const families = {
  4: { domain: 2, level: 0, names: '/proc/net/ip_tables_names' },
  6: { domain: 10, level: 41, names: '/proc/net/ip6_tables_names' },
} as const;

const [SOCK_RAW, IPPROTO_RAW] = [3, 255];

const IPT_SO_GET_INFO = 64;
const IPT_SO_GET_ENTRIES = 65;
const IPT_SO_SET_REPLACE = 64;
const IPT_SO_SET_ADD_COUNTERS = 65;

/** NF_INET_NUMHOOKS; and the size of a pair of counters, struct xt_counters. */
const [hooks, countersSize] = [5, 16];

/** The file that iptables-legacy locks while it changes a table, and how long to wait for it, in milliseconds. */
const lockFile = '/run/xtables.lock';
const [patience, pause] = [10_000, 5];

/** The tables that have been used since the node started: `nat`. To ask for another would make it. */
export function legacyTableNames(family: IpFamily): readonly string[] {
  try {
    return readFileSync(families[family].names, 'utf8')
      .split('\n')
      .filter((name) => name !== '');
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** What a table has. */
export interface LegacyRules {
  /** The chains that users made. */
  readonly chains: readonly LegacyChain[];
  /** The rules of the built-in chains. */
  readonly builtIn: readonly LegacyRule[];
}

function rulesIn(family: IpFamily, table: LegacyTable): LegacyRules {
  return { chains: chainsIn(family, table), builtIn: builtInRules(family, table) };
}

/** What a table has; nothing where it is not in use. Throws SystemError, CodecError. */
export function listLegacyRules(family: IpFamily, name: string): LegacyRules {
  if (!legacyTableNames(family).includes(name)) return { chains: [], builtIn: [] };
  return withSocket(family, (fd) => rulesIn(family, readTable(fd, families[family].level, name).table));
}

/**
 * Removes the chosen chains of a table and the rules that lead to them, in one step of the kernel; the other rules keep
 * their counters. Waits for iptables-legacy's own lock, and lets others work meanwhile. Throws SystemError, CodecError.
 */
export async function removeLegacyChains(
  family: IpFamily,
  name: string,
  choose: (rules: LegacyRules) => readonly string[],
): Promise<void> {
  if (!legacyTableNames(family).includes(name)) return;
  if (choose(listLegacyRules(family, name)).length === 0) return;
  const lock = await takeLock();
  try {
    withSocket(family, (fd) => {
      const { level } = families[family];
      const { table, info } = readTable(fd, level, name);
      const names = new Set(choose(rulesIn(family, table)));
      if (names.size > 0) replaceTable(fd, level, info, withoutChains(family, table, names));
    });
  } finally {
    closeSync(lock);
  }
}

function withSocket<T>(family: IpFamily, use: (fd: number) => T): T {
  const fd = socket(families[family].domain, SOCK_RAW, IPPROTO_RAW, 'a socket for iptables-legacy');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

async function takeLock(): Promise<number> {
  const fd = openSync(lockFile, constants.O_RDONLY | constants.O_CREAT, 0o600);
  try {
    const deadline = performance.now() + patience;
    while (!tryLockExclusive(fd, lockFile)) {
      if (performance.now() >= deadline) throw new SystemError(`flock ${lockFile}`, errnoNumber('EAGAIN'));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct ipt_getinfo: name[32], valid_hooks, hook_entry[5], underflow[5], num_entries, size. */
const infoAt = { hookEntries: 36, underflows: 56, count: 76, size: 80, end: 84 } as const;

function readTable(fd: number, level: number, name: string): { table: LegacyTable; info: Uint8Array } {
  const info = new Uint8Array(infoAt.end);
  info.set(bytesFromText(name));
  getSocketOption(fd, level, IPT_SO_GET_INFO, info);
  const view = viewOf(info);
  const size = view.getUint32(infoAt.size, true);
  // struct ipt_get_entries: name[32], size, entries at the next multiple of eight. EAGAIN if the size is another by now.
  const answer = new Uint8Array(40 + size);
  answer.set(bytesFromText(name));
  viewOf(answer).setUint32(32, size, true);
  getSocketOption(fd, level, IPT_SO_GET_ENTRIES, answer);
  const numbers = (at: number) =>
    Array.from({ length: hooks }, (_, hook) => view.getUint32(at + 4 * hook, true));
  return {
    table: {
      entries: answer.subarray(40),
      hookEntries: numbers(infoAt.hookEntries),
      underflows: numbers(infoAt.underflows),
    },
    info,
  };
}

/**
 * struct ipt_replace: name[32], valid_hooks, num_entries, size, hook_entry[5], underflow[5], num_counters, a pointer to
 * as many counters, which the kernel fills with those of the old table; then the entries.
 */
const replaceAt = {
  hooks: 32,
  count: 36,
  size: 40,
  hookEntries: 44,
  underflows: 64,
  counters: 84,
  pointer: 88,
  end: 96,
};

/** The kernel refuses (EAGAIN) if the number of entries has changed since `info`, so that it is exact under the lock. */
function replaceTable(
  fd: number,
  level: number,
  info: Uint8Array,
  { table, kept }: ReturnType<typeof withoutChains>,
): void {
  const count = viewOf(info).getUint32(infoAt.count, true);
  const counters = new Uint8Array(count * countersSize);
  const request = new Uint8Array(replaceAt.end + table.entries.length);
  const view = viewOf(request);
  const number = (at: number, value: number) => view.setUint32(at, value, true);
  request.set(info.subarray(0, 36)); // the name and the hooks
  number(replaceAt.count, kept.length);
  number(replaceAt.size, table.entries.length);
  for (let hook = 0; hook < hooks; hook++) {
    number(replaceAt.hookEntries + 4 * hook, table.hookEntries[hook] ?? 0);
    number(replaceAt.underflows + 4 * hook, table.underflows[hook] ?? 0);
  }
  number(replaceAt.counters, count);
  view.setBigUint64(replaceAt.pointer, BigInt(ptr(counters)), true);
  request.set(table.entries, replaceAt.end);
  setSocketOption(fd, level, IPT_SO_SET_REPLACE, request);
  setSocketOption(fd, level, IPT_SO_SET_ADD_COUNTERS, keptCounters(info, counters, kept));
}

/** struct xt_counters_info: name[32], num_counters, counters at the next multiple of eight. The new table began at zero. */
function keptCounters(info: Uint8Array, counters: Uint8Array, kept: readonly number[]): Uint8Array {
  const request = new Uint8Array(40 + kept.length * countersSize);
  request.set(info.subarray(0, 32));
  viewOf(request).setUint32(32, kept.length, true);
  for (const [place, index] of kept.entries()) {
    const old = counters.subarray(index * countersSize, (index + 1) * countersSize);
    request.set(old, 40 + place * countersSize);
  }
  return request;
}
