/**
 * Reservations die with the boot. A network namespace does not survive a reboot, so what was reserved before
 * this boot belongs to nobody; the reference keeps such addresses for ever, and nodes run out of them.
 *
 * Whether the machine was rebooted is asked once a boot: DATADIR/.fairlead/NETWORK/boot holds the boot_id under
 * which the store was last looked through.
 */
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { formatAddress } from '../../../lib/ip.ts';
import type { Reservation, Store } from './store.ts';

/** This boot: its id (random(4), /proc/sys/kernel/random/boot_id) and when it was, in milliseconds since 1970. */
export interface Boot {
  readonly id: string;
  readonly at: () => number;
}

/** Reads this boot's id; the time only when asked: now less the seconds in /proc/uptime. */
export function currentBoot(): Boot {
  return {
    id: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    at: () => Date.now() - Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000,
  };
}

/**
 * Frees what was reserved before this boot, unless libcni's result cache was written for its owner since:
 * a clock that was set after the boot can make a live reservation look old. Returns what was freed.
 */
export function freeReservationsOfEarlierBoots(
  store: Store,
  dataDir: string,
  network: string,
  boot: Boot,
  resultCache = '/var/lib/cni/results',
): Reservation[] {
  const mark = `${dataDir}/.fairlead/${network}/boot`;
  if (readOr(mark, '') === boot.id) return [];
  const bootedAt = boot.at();
  const alive = cachedSince(resultCache, bootedAt);
  const freed = store.releaseWhere(({ address, owner }) => {
    if (modifiedAt(`${dataDir}/${network}/${formatAddress(address)}`) >= bootedAt) return false;
    if (owner === undefined) return false; // not a reservation of ours or the reference's: someone's to look at
    return owner.ifname === undefined
      ? ![...alive].some((name) => name.startsWith(`${network}-${owner.containerId}-`))
      : !alive.has(`${network}-${owner.containerId}-${owner.ifname}`);
  });
  writeFileSync(`${mark}.new`, boot.id, { mode: 0o600 });
  renameSync(`${mark}.new`, mark);
  return freed;
}

/** The keys (NETWORK-CONTAINERID-IFNAME) of results that were cached since then. */
function cachedSince(resultCache: string, time: number): Set<string> {
  let names: string[];
  try {
    names = readdirSync(resultCache);
  } catch {
    return new Set(); // no runtime has cached anything
  }
  return new Set(names.filter((name) => modifiedAt(`${resultCache}/${name}`) >= time));
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
