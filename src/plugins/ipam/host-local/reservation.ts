/**
 * A reservation: a file named by its address that holds `CONTAINERID CR LF IFNAME`, as the reference writes it
 * (plugins/ipam/host-local/backend/disk).
 */
import { identifierProblem } from '../../../cni/names.ts';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  removeFile,
  renameSync,
  writeSync,
} from '../../../kernel/sys/file.ts';
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';
import { type IpAddress, parseAddress } from '../../../lib/ip.ts';

/** Who holds an address. Reservations of old reference versions name the container only. */
export interface Owner {
  readonly containerId: string;
  readonly ifname?: string;
}

/** An address that is taken, and by whom. */
export interface Reservation {
  readonly address: IpAddress;
  /** Undefined where the file's content is not an owner: someone's doing, which keeps the address taken. */
  readonly owner: Owner | undefined;
  /**
   * The file is empty, and private: what the reference leaves when it is killed, or finds the disk full, between
   * making the file and writing into it. No container has the address.
   */
  readonly abandoned: boolean;
  /** The disk did not give the file's content: somebody has the address, and nobody knows who. */
  readonly unreadable?: boolean;
}

const lineBreak = '\r\n';

/** Where a file is written before it gets its name. It lies in the store, since only there a link is sure to work. */
const temporaryName = '.fairlead-new';

/** Reads every reservation. Files that are not named by an address are none. */
export function readReservations(directory: string): Reservation[] {
  const reservations: Reservation[] = [];
  for (const name of readdirSync(directory)) {
    const address = parseAddress(name);
    const content = address === undefined ? undefined : readAnyway(`${directory}/${name}`);
    if (address !== undefined && content !== undefined) reservations.push({ address, ...content });
  }
  return reservations;
}

type Content = Omit<Reservation, 'address'>;

const unknown: Content = { owner: undefined, abandoned: false };

/** The largest owner has 255 + 2 + 15 bytes. */
const buffer = new Uint8Array(1024);

/** One bad file must not keep everybody else from being freed. */
function readAnyway(path: string): Content | undefined {
  try {
    return readContent(path);
  } catch {
    return { ...unknown, unreadable: true };
  }
}

/** What opening or reading something else than a file answers: a link, a directory, a pipe, a socket. */
const noFile = ['ELOOP', 'EISDIR', 'ESPIPE', 'ENXIO'];

/**
 * What a reservation's file says; undefined where there is none. Whatever else has that name is an address taken by
 * nobody known. Throws the file system's error where there is a file that it does not give.
 */
export function readContent(path: string): Content | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    if (length > 0) return { owner: parseOwner(textFromBytes(buffer.subarray(0, length))), abandoned: false };
    const stat = fstatSync(fd);
    return { owner: undefined, abandoned: stat.kind === 'file' && (stat.mode & 0o777) === 0o600 };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (noFile.includes(codeOf(error))) return unknown;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function parseOwner(content: string): Owner | undefined {
  const [containerId = '', ifname, ...more] = content.trim().split(lineBreak);
  if (identifierProblem(containerId) !== undefined || more.length > 0) return undefined;
  if (ifname === undefined) return { containerId };
  return /^[^\s\p{Cc}]+$/u.test(ifname) ? { containerId, ifname } : undefined;
}

/**
 * Makes a reservation's file, with its content from the first moment on: written under another name, then linked.
 * False if the address is taken. Throws the file system's errors, and nothing is left then.
 */
export function createReservation(directory: string, address: string, owner: Required<Owner>): boolean {
  const temporary = writeTemporary(directory, `${owner.containerId}${lineBreak}${owner.ifname}`);
  const path = `${directory}/${address}`;
  const isNew = linkNew(temporary, path);
  try {
    removeTemporary(directory);
    return isNew;
  } catch (error) {
    if (isNew) removeFile(path);
    throw error;
  }
}

function linkNew(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    removeFile(temporary);
    throw error;
  }
}

/** Writes a file in the store in place of an older one. Throws the file system's errors. */
export function replaceFile(directory: string, name: string, content: string): void {
  const temporary = writeTemporary(directory, content);
  try {
    renameSync(temporary, `${directory}/${name}`);
  } catch (error) {
    removeTemporary(directory);
    throw error;
  }
}

/** Removes what a killed process left. */
export function removeTemporary(directory: string): void {
  removeFile(`${directory}/${temporaryName}`);
}

/** There is one temporary name: only the lock's holder writes. */
function writeTemporary(directory: string, content: string): string {
  const path = `${directory}/${temporaryName}`;
  const fd = openNew(path);
  try {
    // A full disk shows here, before the address's name exists.
    if (writeSync(fd, content) !== bytesFromText(content).length)
      throw new Error(`${path}: only partly written`);
  } catch (error) {
    removeTemporary(directory);
    throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}

/** What has that name is removed, never written into: it may be a link to a reservation. */
function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    removeFile(path);
    return openSync(path, 'wx', 0o600);
  }
}

/** The name of a file system's error, e.g. `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
