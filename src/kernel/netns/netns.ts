/**
 * Network namespaces. A namespace is entered for one system call only: what is opened inside (a socket, a file under
 * /proc/sys/net) belongs to it for good, and the process goes on outside (DESIGN decision 8; sys/namespace.ts).
 */
import {
  closeSync,
  constants,
  type FileStat,
  fileSystemType,
  fstatSync,
  lstatIfThere,
  mkdirSync,
  openSync,
  removeFile,
  statIfThere,
} from '../sys/file.ts';
import { SystemError, unmount } from '../sys/libc.ts';
import { bindNewNamespace, openIn, ownNamespace, socketIn } from '../sys/namespace.ts';

const MNT_DETACH = 2;
/** NSFS_MAGIC, linux/magic.h: the file system that namespace files are on. */
const NSFS_MAGIC = 0x6e73_6673;

/** An open network namespace. */
export interface NetworkNamespace {
  readonly path: string;
  /** A descriptor that keeps the namespace alive; IFLA_NET_NS_FD takes it. */
  readonly fd: number;
  /** socket(2) inside: the socket is this namespace's for good. `openConnection` takes a namespace. Throws SystemError. */
  socket(domain: number, type: number, protocol: number, what: string): number;
  /** open(2) inside, without creating: a file below /proc/sys/net is this namespace's for good. Throws SystemError. */
  open(path: string, flags: number): number;
  close(): void;
}

/** A file that is no network namespace, with the reason for people. */
export class NotANamespaceError extends Error {
  override readonly name = 'NotANamespaceError';
  readonly code = 'ENOTNS';
}

/**
 * Opens a namespace by the path of its file. Throws NotANamespaceError for other files (for namespaces of other
 * kinds: when it is entered), the file's error otherwise.
 */
export function openNetns(path: string): NetworkNamespace {
  // Opening a FIFO would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!isNamespace(`/proc/self/fd/${fd}`)) throw notANamespace(path, fstatSync(fd));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const place = { path, fd };
  return {
    ...place,
    socket: (...args) => inside(path, () => socketIn(place, ...args)),
    open: (...args) => inside(path, () => openIn(place, ...args)),
    close: () => closeSync(fd),
  };
}

/** Whether a file is a namespace, of any kind. */
function isNamespace(path: string): boolean {
  return fileSystemType(path) === NSFS_MAGIC;
}

const kindNames: Readonly<Record<FileStat['kind'], string>> = {
  file: 'a plain file',
  directory: 'a directory',
  link: 'a symbolic link',
  other: 'a file of another kind',
};

function notANamespace(path: string, { kind }: FileStat): NotANamespaceError {
  return new NotANamespaceError(`${path} is ${kindNames[kind]}, not a network namespace`);
}

/** setns(2) checks the kind, which opening cannot. */
function inside(path: string, call: () => number): number {
  try {
    return call();
  } catch (error) {
    const refused = error instanceof SystemError && error.operation === `setns ${path}`;
    if (!refused || error.code !== 'EINVAL') throw error;
    throw new NotANamespaceError(`${path} is a namespace of another kind, not a network namespace`);
  }
}

/** Whether two namespace files are the same namespace, by the inode number that identifies it (namespaces(7)). */
export function sameNetns(a: NetworkNamespace, b: NetworkNamespace): boolean {
  const [first, second] = [fstatSync(a.fd), fstatSync(b.fd)];
  return first.dev === second.dev && first.ino === second.ino;
}

/** Whether a namespace is the one that the process is in. */
export function isOwnNetns({ fd }: NetworkNamespace): boolean {
  const [one, own] = [fstatSync(fd), statIfThere(ownNamespace)];
  return own !== undefined && one.dev === own.dev && one.ino === own.ino;
}

/** Opens the namespace that the process is in. */
export function openOwnNetns(): NetworkNamespace {
  return openNetns(ownNamespace);
}

/** Creates a namespace, its lo down, and binds it to a new file (an absolute path), as `ip netns add` does. EEXIST when the file exists. */
export function createNetns(path: string): void {
  mkdirSync(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true, mode: 0o755 });
  closeSync(openSync(path, 'wx', 0o444));
  try {
    bindNewNamespace(path);
  } catch (error) {
    removeFile(path);
    throw error;
  }
}

/**
 * Unbinds a namespace's file, as often as something is bound to it, and removes the file; the namespace goes when
 * nothing else holds it. No error if the file is gone. Throws NotANamespaceError for what createNetns cannot have
 * left, and touches nothing then.
 */
export function removeNetns(path: string): void {
  const look = () => lstatIfThere(path);
  let stat = look();
  while (stat?.kind === 'file' && isNamespace(path)) {
    try {
      unmount(path, MNT_DETACH);
    } catch (error) {
      // Another process was faster.
      if (!(error instanceof SystemError) || !['EINVAL', 'ENOENT'].includes(error.code)) throw error;
      break;
    }
    stat = look();
  }
  if (stat === undefined) return;
  // A creator that was killed leaves an empty file.
  if (stat.kind !== 'file' || stat.size > 0) throw notANamespace(path, stat);
  removeFile(path);
}
