/**
 * Network namespaces. A namespace is entered for one call only: what is opened inside (a socket, a file under
 * /proc/sys/net) belongs to it for good, and the process goes on outside (DESIGN decision 8).
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
} from '../sys/file.ts';
import { mount, SystemError, setns, unmount, unshare } from '../sys/libc.ts';

const CLONE_NEWNET = 0x4000_0000;
const MS_BIND = 0x1000;
const MNT_DETACH = 2;
/** NSFS_MAGIC, linux/magic.h: the file system that namespace files are on. */
const NSFS_MAGIC = 0x6e73_6673;
const ownNamespace = '/proc/thread-self/ns/net';

/** An open network namespace. */
export interface NetworkNamespace {
  readonly path: string;
  /** A descriptor that keeps the namespace alive; IFLA_NET_NS_FD takes it. */
  readonly fd: number;
  /**
   * Runs `call` with the main thread inside the namespace, and comes back whatever happens. For opening a
   * socket or a file and nothing else: no await, nothing that may start a thread.
   */
  enter<T>(call: () => T): T;
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
  return { path, fd, enter: (call) => inside(fd, path, call), close: () => closeSync(fd) };
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

function inside<T>(fd: number, path: string, call: () => T): T {
  const home = openSync(ownNamespace, 'r');
  try {
    enterFrom(fd, path);
    try {
      return call();
    } finally {
      setns(home, CLONE_NEWNET, 'the original network namespace');
    }
  } finally {
    closeSync(home);
  }
}

/** setns(2) checks the kind, which opening cannot. */
function enterFrom(fd: number, path: string): void {
  try {
    setns(fd, CLONE_NEWNET, path);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EINVAL') throw error;
    throw new NotANamespaceError(`${path} is a namespace of another kind, not a network namespace`);
  }
}

/** Whether two namespace files are the same namespace, by the inode number that identifies it (namespaces(7)). */
export function sameNetns(a: NetworkNamespace, b: NetworkNamespace): boolean {
  const [first, second] = [fstatSync(a.fd), fstatSync(b.fd)];
  return first.dev === second.dev && first.ino === second.ino;
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
    const home = openSync(ownNamespace, 'r');
    try {
      unshare(CLONE_NEWNET);
      try {
        mount(ownNamespace, path, 'none', MS_BIND);
      } finally {
        setns(home, CLONE_NEWNET, 'the original network namespace');
      }
    } finally {
      closeSync(home);
    }
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
