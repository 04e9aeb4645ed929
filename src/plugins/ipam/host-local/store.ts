/**
 * The reservations of one network on disk, in the reference's own format: a directory DATADIR/NETWORK with a
 * file per address that holds `CONTAINERID CR LF IFNAME`, `last_reserved_ip.N` per range set, and `lock`
 * (plugins/ipam/host-local/backend/disk). Either implementation may use it, with containers running.
 *
 * What makes it fast at any size lies beside, in DATADIR/.fairlead/NETWORK: see owner-index.ts.
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { lockExclusive } from '../../../kernel/sys/libc.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../../lib/ip.ts';
import { type OwnerIndex, openOwnerIndex } from './owner-index.ts';

/** Who holds an address. Reservations of old reference versions name the container only. */
export interface Owner {
  readonly containerId: string;
  readonly ifname?: string;
}

/** An address that is taken, and by whom. */
export interface Reservation {
  readonly address: IpAddress;
  /** Undefined where the file's content is not an owner: someone's mistake, which still keeps the address taken. */
  readonly owner: Owner | undefined;
}

/** The store, locked by this process until `close`. */
export interface Store {
  /** Addresses that the attachment holds. */
  held(owner: Required<Owner>): IpAddress[];
  /** Takes the address for the owner, in one step that a killed process cannot halve; false if it is taken. */
  reserve(address: IpAddress, owner: Required<Owner>, rangeSetIndex: number): boolean;
  /** The address last given out from that range set, if it is known. */
  lastReserved(rangeSetIndex: number): IpAddress | undefined;
  /** All addresses that are taken, in the names of their files. */
  taken(): Set<string>;
  /** Frees everything that the attachment holds. Nothing held is no error. */
  release(owner: Required<Owner>): void;
  /** Frees the reservations for which `gone` says so, and returns them. Reads the whole store. */
  releaseWhere(gone: (reservation: Reservation) => boolean): Reservation[];
  close(): void;
}

const lineBreak = '\r\n';

/** Opens the network's store, creating its directories, and waits for its lock. Throws the file system's errors. */
export function openStore(dataDir: string, network: string): Store {
  const directory = `${dataDir}/${network}`;
  const side = `${dataDir}/.fairlead/${network}`;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  mkdirSync(side, { recursive: true, mode: 0o700 });
  const lock = openSync(`${directory}/lock`, 'a', 0o600);
  try {
    lockExclusive(lock, `${directory}/lock`);
    const index = openOwnerIndex(directory, side, () => readReservations(directory));
    return { ...operations(directory, side, index), close: () => closeSync(lock) };
  } catch (error) {
    closeSync(lock);
    throw error;
  }
}

function operations(directory: string, side: string, index: OwnerIndex): Omit<Store, 'close'> {
  const free = (address: IpAddress) => rmSync(`${directory}/${formatAddress(address)}`, { force: true });

  return {
    held: (owner) => index.addressesOf(owner),
    reserve: (address, owner, rangeSetIndex) => {
      const text = formatAddress(address);
      if (!linkNew(side, `${directory}/${text}`, `${owner.containerId}${lineBreak}${owner.ifname}`))
        return false;
      index.add(owner, address);
      replaceFile(side, `${directory}/last_reserved_ip.${rangeSetIndex}`, text);
      index.settle();
      return true;
    },
    lastReserved: (rangeSetIndex) => {
      const text = readIfThere(`${directory}/last_reserved_ip.${rangeSetIndex}`);
      return text === undefined ? undefined : parseAddress(text.trim());
    },
    taken: () => new Set(readdirSync(directory)),
    release: (owner) => {
      for (const address of index.addressesOf(owner)) free(address);
      index.remove(owner);
      index.settle();
    },
    releaseWhere: (gone) => {
      const released = readReservations(directory).filter(gone);
      for (const reservation of released) free(reservation.address);
      if (released.length > 0) index.rebuild();
      return released;
    },
  };
}

/** Reads every reservation. Files that are not named by an address are none. */
export function readReservations(directory: string): Reservation[] {
  const reservations: Reservation[] = [];
  for (const name of readdirSync(directory)) {
    const address = parseAddress(name);
    if (address === undefined) continue;
    const content = readIfThere(`${directory}/${name}`);
    if (content !== undefined) reservations.push({ address, owner: parseOwner(content) });
  }
  return reservations;
}

function parseOwner(content: string): Owner | undefined {
  const [containerId = '', ifname] = content.trim().split(lineBreak);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(containerId)) return undefined;
  return ifname === undefined ? { containerId } : { containerId, ifname };
}

/** A file that someone removes meanwhile, or that is a directory, is as good as not there. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}

/** Creates `path` with its content in one step: written under another name, then linked. False if it exists. */
function linkNew(side: string, path: string, content: string): boolean {
  const fresh = writeFresh(side, content);
  try {
    linkSync(fresh, path);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

function replaceFile(side: string, path: string, content: string): void {
  renameSync(writeFresh(side, content), path);
}

/** The one temporary name: only the lock's holder writes. What a killed process left there goes first. */
function writeFresh(side: string, content: string): string {
  const path = `${side}/new`;
  rmSync(path, { force: true });
  const fd = openSync(path, 'wx', 0o600);
  try {
    // A full disk shows here, before the address's name exists.
    writeSync(fd, content);
  } finally {
    closeSync(fd);
  }
  return path;
}
