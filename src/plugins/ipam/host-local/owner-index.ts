/**
 * Which addresses an attachment holds, without reading the whole store: DATADIR/.fairlead/NETWORK/owners has 256
 * files, in which a reservation is a line in the file that its container's id hashes to.
 *
 * The index is only believed while the store's directory is as this code left it: after each change the store gets
 * a modification time of nanoseconds, and the index one that is an hour before, which the kernel's own stamps never
 * are. Whatever else creates or removes a file in the store (the reference plugin, an operator, a process of ours that
 * was killed half-way) changes the store's time, and the index is built anew. The kernel stamps changes with a clock of
 * ticks, so that a change right after ours still gets another time than ours.
 */
import {
  mkdirSync,
  readFileSync,
  removeTree,
  setTimes,
  statIfThere,
  writeFileSync,
} from '../../../kernel/sys/file.ts';
import { formatAddress, parseAddress } from '../../../lib/ip.ts';
import { codeOf, type Owner, type Reservation } from './reservation.ts';

/** A reservation whose owner is known. */
export type Owned = Reservation & { readonly owner: Owner };

/**
 * The index of one store, used by the holder of the store's lock. Nothing here fails: an index that cannot be
 * written is right for this process, and the next one builds it anew.
 */
export interface OwnerIndex {
  /** Whether the store was, when the index was opened, as the index's last user left it. */
  readonly agreed: boolean;
  /** What a container holds, on any of its interfaces. */
  of(containerId: string): readonly Owned[];
  /** Says what a container holds now. */
  set(containerId: string, held: readonly Owned[]): void;
  /** Builds the index from all reservations. */
  build(reservations: readonly Reservation[]): void;
  /** Ends a change: says that index and store agree. Without it the next process builds the index anew. */
  settle(): void;
  /** Says that a change failed half-way: whatever this process settles, the next one builds the index anew. */
  distrust(): void;
}

/** Opens the index of the store in `directory`, kept in `side`, building it where the two do not agree. */
export function openOwnerIndex(
  directory: string,
  side: string,
  read: () => readonly Reservation[],
): OwnerIndex {
  const owners = `${side}/owners`;
  const known = new Map<string, readonly Owned[]>();
  let written = true;

  const lines = (bucket: string): readonly Owned[] => {
    const held = known.get(bucket) ?? parseLines(readOr(`${owners}/${bucket}`, ''));
    known.set(bucket, held);
    return held;
  };
  const write = (bucket: string, held: readonly Owned[]) => {
    known.set(bucket, held);
    written =
      attempt(() => writeFileSync(`${owners}/${bucket}`, formatLines(held), { mode: 0o600 })) && written;
  };
  const build = (reservations: readonly Reservation[]) => {
    known.clear();
    for (let bucket = 0; bucket < 256; bucket++) known.set(hex(bucket), []);
    for (const [bucket, held] of byBucket(reservations)) known.set(bucket, held);
    const isNew = attempt(() => {
      removeTree(owners);
      mkdirSync(owners, { recursive: true, mode: 0o700 });
    });
    // What could not be read is looked at again by the next process.
    written = written && isNew && !reservations.some(({ unreadable }) => unreadable);
    if (!isNew) return;
    for (const [bucket, held] of known) if (held.length > 0) write(bucket, held);
  };
  const settle = () => {
    if (written) written = attempt(() => setBothTimes(owners, directory));
  };

  const agreed = timesAgree(owners, directory);
  if (!agreed) {
    build(read());
    settle();
  }
  return {
    agreed,
    of: (containerId) =>
      lines(bucketOf(containerId)).filter(({ owner }) => owner.containerId === containerId),
    set: (containerId, held) => {
      const bucket = bucketOf(containerId);
      write(bucket, [...lines(bucket).filter(({ owner }) => owner.containerId !== containerId), ...held]);
    },
    build,
    settle,
    distrust: () => {
      written = false;
    },
  };
}

/** Nanoseconds by which the index's time is before the store's: an hour. */
const distance = 3_600_000_000_000n;

function setBothTimes(owners: string, directory: string): void {
  // The last digits, from another clock, tell it from the whole ticks of the kernel's own.
  const now = BigInt(Date.now()) * 1_000_000n + BigInt((process.hrtime()[1] % 999_999) + 1);
  setTimes(owners, now - distance);
  setTimes(directory, now);
}

/** Where a file system keeps whole seconds only, a change after ours could go unseen: nothing is believed there. */
function timesAgree(owners: string, directory: string): boolean {
  const [index, store] = [owners, directory].map((path) => statIfThere(path)?.mtimeNs);
  if (index === undefined || store === undefined) return false;
  return store - index === distance && store % 1_000_000_000n !== 0n;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** A CRC is the same in every version of the runtime, and makes no object for each of many thousands. */
function bucketOf(containerId: string): string {
  return hex(Bun.hash.crc32(containerId) & 0xff);
}

function byBucket(reservations: readonly Reservation[]): Map<string, Owned[]> {
  const buckets = new Map<string, Owned[]>();
  for (const reservation of reservations) {
    if (!isOwned(reservation)) continue;
    const bucket = bucketOf(reservation.owner.containerId);
    const held = buckets.get(bucket) ?? [];
    held.push(reservation);
    buckets.set(bucket, held);
  }
  return buckets;
}

function isOwned(reservation: Reservation): reservation is Owned {
  return reservation.owner !== undefined;
}

function formatLines(held: readonly Owned[]): string {
  return held
    .map(({ address, owner }) => `${formatAddress(address)} ${owner.containerId} ${owner.ifname ?? ''}\n`)
    .join('');
}

function parseLines(text: string): Owned[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', containerId, ifname] = line.split(' ');
    const address = parseAddress(name);
    if (address === undefined || containerId === undefined) return [];
    return { address, owner: ifname ? { containerId, ifname } : { containerId }, abandoned: false };
  });
}

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return otherwise;
    throw error;
  }
}
