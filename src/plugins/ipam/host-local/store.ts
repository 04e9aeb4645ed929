/**
 * The reservations of one network on disk, in the reference's own format: a directory DATADIR/NETWORK with a
 * file per address (reservation.ts), `last_reserved_ip.N` per range set, and `lock` (lock.ts). Either
 * implementation may use it, with containers running.
 *
 * What makes it fast at any size, and what it knows about reboots, lies beside, in DATADIR/.fairlead/NETWORK.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  removeFile,
} from '../../../kernel/sys/file.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../../lib/ip.ts';
import { takeLock } from './lock.ts';
import { type Owned, type OwnerIndex, openOwnerIndex } from './owner-index.ts';
import { type Boot, currentBoot, forgetEarlierBoots } from './reboot.ts';
import {
  createReservation,
  type Owner,
  type Reservation,
  readContent,
  readReservations,
  removeTemporary,
  replaceFile,
} from './reservation.ts';

/** The store, locked by this process until `close`. Its operations throw the file system's errors. */
export interface Store {
  /** Addresses that the attachment holds. */
  held(owner: Required<Owner>): IpAddress[];
  /** Takes the address for the owner, in one step that a killed process cannot halve; false if it is taken. */
  reserve(address: IpAddress, owner: Required<Owner>, rangeSetIndex: number): boolean;
  /** The address last given out from that range set, if it is known. */
  lastReserved(rangeSetIndex: number): IpAddress | undefined;
  /** All addresses that are taken, in the names of their files. */
  taken(): Set<string>;
  /** Frees what the attachment holds, or only those of the addresses that it holds. Nothing held is no error. */
  release(owner: Required<Owner>, only?: readonly IpAddress[]): void;
  /** Frees the reservations for which `gone` says so, and returns them. Reads the whole store, if that was not just done. */
  releaseWhere(gone: (reservation: Reservation) => boolean, all?: readonly Reservation[]): Reservation[];
  close(): void;
}

/** What this boot is; a function, for it is read under the lock. */
type ReadBoot = () => Boot | undefined;

/** Where a store's parts are. */
interface Place {
  readonly directory: string;
  readonly side: string;
  readonly network: string;
}

/**
 * Opens the network's store, creating its directories, waits for its lock, and forgets what earlier boots left.
 * Throws the file system's errors, and a CniError (11) when the lock does not become free.
 */
export function openStore(dataDir: string, network: string, readBoot: ReadBoot = currentBoot): Store {
  const place = placeOf(dataDir, network);
  mkdirSync(place.directory, { recursive: true, mode: 0o755 });
  const lock = takeLock(`${place.directory}/lock`);
  try {
    return { ...openLocked(place, readBoot()), close: () => closeSync(lock) };
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

/** As `openStore`, but makes none: undefined where nothing was ever reserved. */
export function openExistingStore(
  dataDir: string,
  network: string,
  readBoot: ReadBoot = currentBoot,
): Store | undefined {
  return isEmpty(placeOf(dataDir, network).directory) ? undefined : openStore(dataDir, network, readBoot);
}

/** Without a lock nobody has reserved anything, unless someone put files there; making one may fail on a full disk. */
function isEmpty(directory: string): boolean {
  if (existsSync(`${directory}/lock`)) return false;
  return !existsSync(directory) || readdirSync(directory).length === 0;
}

function placeOf(dataDir: string, network: string): Place {
  return { directory: `${dataDir}/${network}`, side: `${dataDir}/.fairlead/${network}`, network };
}

function openLocked(place: Place, boot: Boot | undefined): Omit<Store, 'close'> {
  const { directory, side } = place;
  let read: readonly Reservation[] | undefined;
  const index = openOwnerIndex(directory, side, () => {
    removeTemporary(directory);
    read = readReservations(directory);
    return read;
  });
  const { releaseWhere, ...others } = operations(directory, index);
  const free = (gone: (reservation: Reservation) => boolean) => releaseWhere(gone, read);
  const problem = boot && forgetEarlierBoots({ ...place, boot, untouched: index.agreed, free });
  return {
    ...others,
    releaseWhere,
    reserve: (address, owner, rangeSetIndex) => {
      // A reservation of this boot beside an older boot's mark would be taken for one of that boot.
      if (problem !== undefined) throw problem;
      return others.reserve(address, owner, rangeSetIndex);
    },
  };
}

function operations(directory: string, index: OwnerIndex): Omit<Store, 'close'> {
  const fileOf = (address: IpAddress) => `${directory}/${formatAddress(address)}`;
  const free = (address: IpAddress) => removeFile(fileOf(address));

  /** Or frees the address again: an ADD that fails keeps none. */
  const setLastReserved = (address: IpAddress, rangeSetIndex: number) => {
    try {
      replaceFile(directory, `last_reserved_ip.${rangeSetIndex}`, formatAddress(address));
    } catch (error) {
      free(address);
      throw error;
    }
  };

  const held = (owner: Required<Owner>): readonly Owned[] => {
    const listed = matching(index.of(owner.containerId), owner);
    if (listed.every((one) => isSame(readContent(fileOf(one.address))?.owner, one.owner))) return listed;
    // Someone wrote into a reservation's file, which the directory's time does not show.
    index.build(readReservations(directory));
    index.settle();
    return matching(index.of(owner.containerId), owner);
  };

  return {
    held: (owner) => held(owner).map(({ address }) => address),
    reserve: (address, owner, rangeSetIndex) => {
      const text = formatAddress(address);
      if (existsSync(fileOf(address))) return false;
      try {
        if (!createReservation(directory, text, owner)) return false;
        setLastReserved(address, rangeSetIndex);
      } catch (error) {
        index.distrust();
        throw error;
      }
      const { containerId } = owner;
      index.set(containerId, [...index.of(containerId), { address, owner, abandoned: false }]);
      index.settle();
      return true;
    },
    lastReserved: (rangeSetIndex) => {
      const text = readIfThere(`${directory}/last_reserved_ip.${rangeSetIndex}`);
      return text === undefined ? undefined : parseAddress(text.trim());
    },
    taken: () => new Set(readdirSync(directory)),
    release: (owner, only) => {
      const names = only && new Set(only.map(formatAddress));
      const going = held(owner).filter(({ address }) => names?.has(formatAddress(address)) ?? true);
      if (going.length === 0) return;
      for (const { address } of going) free(address);
      index.set(
        owner.containerId,
        index.of(owner.containerId).filter((one) => !going.includes(one)),
      );
      index.settle();
    },
    releaseWhere: (gone, all = readReservations(directory)) => {
      const going = new Set(all.filter(gone));
      if (going.size === 0) return [];
      for (const { address } of going) free(address);
      index.build(all.filter((one) => !going.has(one)));
      index.settle();
      return [...going];
    },
  };
}

/** As the reference does: what names only the container counts where nothing names the interface too. */
function matching(held: readonly Owned[], { ifname }: Required<Owner>): readonly Owned[] {
  const exact = held.filter(({ owner }) => owner.ifname === ifname);
  return exact.length > 0 ? exact : held.filter(({ owner }) => owner.ifname === undefined);
}

function isSame(a: Owner | undefined, b: Owner): boolean {
  return a !== undefined && a.containerId === b.containerId && a.ifname === b.ifname;
}

/** Nothing where the file is missing, or is none. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}
