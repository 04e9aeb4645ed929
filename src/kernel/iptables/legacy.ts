/**
 * Reading and replacing the tables of iptables-legacy: getsockopt(2) and setsockopt(2) on a raw socket, whole tables at a
 * time (linux/netfilter_ipv4/ip_tables.h; IP6T_ has the same numbers and structs).
 */
import { bytesFromText } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import type { IpFamily } from '../../lib/ip.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';
import { ptr } from '../sys/ffi.ts';
import { closeSync, constants, openSync } from '../sys/file.ts';
import { SystemError, setSocketOption, socket, tryLockExclusive } from '../sys/libc.ts';
import { getSocketOption } from '../sys/sockets.ts';
import { changed, type LegacyChange } from './legacy-change.ts';
import { legacyTableNames } from './legacy-names.ts';
import {
  type Assembled,
  type LegacyChain,
  type LegacyTable,
  listed,
  putTogether,
  takeApart,
} from './legacy-table.ts';

/** AF_INET with SOL_IP, AF_INET6 with SOL_IPV6. */
const families = { 4: { domain: 2, level: 0 }, 6: { domain: 10, level: 41 } } as const;

const [SOCK_RAW, IPPROTO_RAW] = [3, 255];

const IPT_SO_GET_INFO = 64;
const IPT_SO_GET_ENTRIES = 65;
const IPT_SO_SET_REPLACE = 64;
const IPT_SO_SET_ADD_COUNTERS = 65;

/** NF_INET_NUMHOOKS; and the size of a pair of counters, struct xt_counters. */
const [hookCount, countersSize] = [5, 16];

/** The file that iptables-legacy locks while it changes a table, and how long to wait for it, in milliseconds. */
const lockFile = '/run/xtables.lock';
const [patience, pause] = [10_000, 5];

/** How often a table is read anew because somebody changed it meanwhile. */
const attempts = 20;

/** The chains of a table, built-in ones first; none where it is not in use. Throws SystemError, CodecError. */
export function listLegacyChains(family: IpFamily, name: string): readonly LegacyChain[] {
  if (!legacyTableNames(family).includes(name)) return [];
  const read = (fd: number) => listed(family, takeApart(family, readTable(fd, family, name).table));
  return withSocket(family, name, 'read', read);
}

/**
 * Changes a table as planned, in one step of the kernel: all other rules stay, with their counters. Under iptables-legacy's
 * own lock, which is waited for while others work; the plan is made again with what is there then. No changes: nothing is
 * written. A table that is not in use is left alone, and no plan made. Throws SystemError, CodecError.
 */
export async function changeLegacyTable(
  family: IpFamily,
  name: string,
  plan: (chains: readonly LegacyChain[]) => readonly LegacyChange[],
): Promise<void> {
  if (!legacyTableNames(family).includes(name)) return;
  if (plan(listLegacyChains(family, name)).length === 0) return;
  const lock = await takeLock();
  try {
    withSocket(family, name, 'write', (fd) => {
      const { table, info } = readTable(fd, family, name);
      const chains = takeApart(family, table);
      const changes = plan(listed(family, chains));
      if (changes.length > 0)
        replaceTable(fd, family, info, putTogether(family, changed(family, chains, changes)));
    });
  } finally {
    closeSync(lock);
  }
}

/** Uses a socket, again where the kernel says that the table is another one by now. */
function withSocket<T>(family: IpFamily, name: string, verb: string, use: (fd: number) => T): T {
  const { domain } = families[family];
  const fd = socket(domain, SOCK_RAW, IPPROTO_RAW, 'a socket for iptables-legacy');
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return use(fd);
      } catch (error) {
        if (error instanceof SystemError && error.code === 'EAGAIN' && attempt < attempts) continue;
        const what = `${verb} table ${name} of ${family === 4 ? 'iptables-legacy' : 'ip6tables-legacy'}`;
        if (error instanceof SystemError) throw new SystemError(what, error.errno);
        if (error instanceof CodecError) throw new CodecError(`${what}: ${error.message}`);
        throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
}

async function takeLock(): Promise<number> {
  const fd = openSync(lockFile, constants.O_RDONLY | constants.O_CREAT, 0o600);
  try {
    const deadline = performance.now() + patience;
    while (!tryLockExclusive(fd, lockFile)) {
      if (performance.now() >= deadline)
        throw new SystemError(`lock ${lockFile}, which another program holds`, errnoNumber('ETIMEDOUT'));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct ipt_getinfo: name[32], valid_hooks, hook_entry[5], underflow[5], num_entries, size. */
const infoAt = { hooks: 32, hookEntries: 36, underflows: 56, count: 76, size: 80, end: 84 } as const;

function readTable(fd: number, family: IpFamily, name: string): { table: LegacyTable; info: Uint8Array } {
  const info = readInfo(fd, family, name);
  const size = viewOf(info).getUint32(infoAt.size, true);
  // struct ipt_get_entries: name[32], size, entries at the next multiple of eight. EAGAIN if the size is another by now.
  const answer = new Uint8Array(40 + size);
  answer.set(bytesFromText(name));
  viewOf(answer).setUint32(32, size, true);
  getSocketOption(fd, families[family].level, IPT_SO_GET_ENTRIES, answer);
  // Others of the same size may have come between.
  if (readInfo(fd, family, name).some((byte, at) => byte !== info[at]))
    throw new SystemError('read twice', errnoNumber('EAGAIN'));
  return { table: { entries: answer.subarray(40), hooks: hooksIn(info) }, info };
}

function readInfo(fd: number, family: IpFamily, name: string): Uint8Array {
  const info = new Uint8Array(infoAt.end);
  info.set(bytesFromText(name));
  getSocketOption(fd, families[family].level, IPT_SO_GET_INFO, info);
  return info;
}

function hooksIn(info: Uint8Array): LegacyTable['hooks'] {
  const view = viewOf(info);
  const number = (at: number, hook: number) => view.getUint32(at + 4 * hook, true);
  return Array.from({ length: hookCount }, (_, hook) => ({
    hook,
    entry: number(infoAt.hookEntries, hook),
    underflow: number(infoAt.underflows, hook),
  })).filter(({ hook }) => (number(infoAt.hooks, 0) & (1 << hook)) !== 0);
}

/**
 * struct ipt_replace: name[32], valid_hooks, num_entries, size, hook_entry[5], underflow[5], num_counters, a pointer to
 * as many counters, which the kernel fills with those of the old table; then the entries.
 */
const replaceAt = {
  count: 36,
  size: 40,
  hookEntries: 44,
  underflows: 64,
  counters: 84,
  pointer: 88,
  end: 96,
};

/** The kernel refuses (EAGAIN) if the number of entries has changed since `info`, so that it is exact under the lock. */
function replaceTable(fd: number, family: IpFamily, info: Uint8Array, { table, was }: Assembled): void {
  const { level } = families[family];
  const count = viewOf(info).getUint32(infoAt.count, true);
  const counters = new Uint8Array(count * countersSize);
  const request = new Uint8Array(replaceAt.end + table.entries.length);
  const view = viewOf(request);
  const number = (at: number, value: number) => view.setUint32(at, value, true);
  request.set(info.subarray(0, 36)); // the name and the hooks
  number(replaceAt.count, was.length);
  number(replaceAt.size, table.entries.length);
  for (const { hook, entry, underflow } of table.hooks) {
    number(replaceAt.hookEntries + 4 * hook, entry);
    number(replaceAt.underflows + 4 * hook, underflow);
  }
  number(replaceAt.counters, count);
  view.setBigUint64(replaceAt.pointer, BigInt(ptr(counters)), true);
  request.set(table.entries, replaceAt.end);
  setSocketOption(fd, level, IPT_SO_SET_REPLACE, request);
  setSocketOption(fd, level, IPT_SO_SET_ADD_COUNTERS, keptCounters(info, counters, was));
}

/** struct xt_counters_info: name[32], num_counters, counters at the next multiple of eight. The new table began at zero. */
function keptCounters(info: Uint8Array, counters: Uint8Array, was: Assembled['was']): Uint8Array {
  const request = new Uint8Array(40 + was.length * countersSize);
  request.set(info.subarray(0, 32));
  viewOf(request).setUint32(32, was.length, true);
  for (const [place, old] of was.entries()) {
    if (old === undefined) continue;
    const kept = counters.subarray(old * countersSize, (old + 1) * countersSize);
    request.set(kept, 40 + place * countersSize);
  }
  return request;
}
