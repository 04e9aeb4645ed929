/**
 * Reservations die with the boot. A network namespace does not survive a reboot, so what was reserved before
 * this boot belongs to nobody; the reference keeps such addresses for ever, and nodes run out of them.
 * Why this never frees a running container's address: docs/decisions/0007-reservations-and-reboots.md.
 *
 * DATADIR/.fairlead/NETWORK/boot, the mark, holds the id of the boot under which the store was last looked
 * through. Every opening of the store compares it, before anything else is done.
 */
import { CniError, messageOf } from '../../../cni/index.ts';
import { decodeCacheFile } from '../../../cni/runtime/cache-format.ts';
import {
  existsSync,
  lstatIfThere,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statIfThere,
  writeFileSync,
} from '../../../kernel/sys/file.ts';
import { formatAddress } from '../../../lib/ip.ts';
import type { Owner, Reservation } from './reservation.ts';

/** This boot: its id (random(4), /proc/sys/kernel/random/boot_id) and when it was, in milliseconds since 1970. */
export interface Boot {
  readonly id: string;
  /** The earliest time that the clock can have shown in this boot. */
  readonly earliest: () => number;
}

/** Reads this boot's id; undefined where there is no /proc, and nothing is known about reboots. */
export function currentBoot(): Boot | undefined {
  const id = readOr('/proc/sys/kernel/random/boot_id', '').trim();
  return id === '' ? undefined : { id, earliest: earliestTime };
}

/**
 * The clock may have been set since the boot. Forward: then what is now less the uptime is later than what the
 * clock showed at first, which the kernel's device file system remembers as its birth. Not known: 0.
 */
function earliestTime(): number {
  const uptime = Number.parseFloat(readOr('/proc/uptime', ''));
  if (Number.isNaN(uptime)) return 0;
  const [dev, root] = [statIfThere('/dev'), statIfThere('/')];
  const birth = dev === undefined || dev.dev === root?.dev ? 0n : dev.birthNs;
  return Math.min(Date.now() - uptime * 1000, birth === 0n ? Number.POSITIVE_INFINITY : milliseconds(birth));
}

/** A store that was just opened, and what to do it with. */
export interface StoreToLookThrough {
  readonly directory: string;
  readonly side: string;
  readonly network: string;
  readonly boot: Boot;
  /** Whether nobody but Fairlead has changed the store since Fairlead last did. */
  readonly untouched: boolean;
  readonly free: (gone: (reservation: Reservation) => boolean) => Reservation[];
  /** Where libcni keeps results. */
  readonly resultCache?: string;
}

/**
 * Frees what was reserved before this boot, if that was not done in this boot yet, and writes the mark. Returns the
 * error when the mark could not be written: then nothing may be reserved.
 *
 * With an older boot's mark and a store that only Fairlead changed, nothing in it can be of this boot: all of it
 * goes. Otherwise (first sight of a reference's store, or both in use) the files' times decide, and what a runtime
 * knows of: a reservation stays that is younger than the boot, or has a cached result that is, or that names a
 * network namespace which exists.
 */
export function forgetEarlierBoots(store: StoreToLookThrough): Error | undefined {
  const { side, boot, untouched, free } = store;
  const mark = readOr(`${side}/boot`, '');
  if (mark === boot.id) return undefined;
  if (mark !== '' && untouched) free(({ owner, abandoned }) => owner !== undefined || abandoned);
  else free(oldAndGone(store));
  try {
    mkdirSync(side, { recursive: true, mode: 0o700 });
    writeFileSync(`${side}/boot.new`, boot.id, { mode: 0o600 });
    renameSync(`${side}/boot.new`, `${side}/boot`);
    return undefined;
  } catch (error) {
    return new CniError('ioFailure', `cannot keep this boot's id in ${side}: ${messageOf(error)}`);
  }
}

function oldAndGone(store: StoreToLookThrough): (reservation: Reservation) => boolean {
  const { directory, network, boot, resultCache = '/var/lib/cni/results' } = store;
  const since = boot.earliest();
  const results = new Set(listOr(resultCache));
  const isAlive = ({ containerId, ifname }: Owner) => {
    const start = `${network}-${containerId}-`;
    // Only old reservations do not name the interface: they are few, results may be thousands.
    const names =
      ifname === undefined ? [...results].filter((name) => name.startsWith(start)) : [start + ifname];
    return names.some((name) => results.has(name) && isOfNow(`${resultCache}/${name}`, since));
  };
  return ({ address, owner, abandoned }) => {
    if (modifiedAt(`${directory}/${formatAddress(address)}`) >= since) return false;
    return owner === undefined ? abandoned : !isAlive(owner);
  };
}

/** Whether a cached result was written in this boot, or its network namespace exists. */
function isOfNow(path: string, since: number): boolean {
  if (modifiedAt(path) >= since) return true;
  const reading = decodeCacheFile(Buffer.from(readOr(path, '')));
  return reading.kind === 'entry' && reading.entry.netns !== '' && existsSync(reading.entry.netns);
}

/** The time of the file itself, in milliseconds; one that is gone is of no time. */
function modifiedAt(path: string): number {
  return milliseconds(lstatIfThere(path)?.mtimeNs ?? 0n);
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6;
}

function listOr(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // no runtime has cached anything
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
