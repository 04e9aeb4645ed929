/** Where traces are written: a file of root's alone, that no link can lead elsewhere. */
import { messageOf } from '../../cni/index.ts';
import {
  closeSync,
  constants,
  fstatSync,
  lstatIfThere,
  mkdirSync,
  openSync,
  renameSync,
} from '../../kernel/sys/file.ts';

/** What `"fairlead": {"trace": true}` in a configuration writes to; gone with the next boot, like what it tells of. */
export const traceFile = '/run/fairlead/trace.jsonl';

/** A file that has grown larger is put aside as `FILE.1` by the next call; with that one they take twice as much at most. */
const largest = 4 * 1024 * 1024;

/** A sticky directory, such as /tmp: others may write there, but not rename what is not theirs. */
const sticky = 0o1000;

/**
 * Opens a trace's file for appending, and makes it where there is none. Throws an Error that says why it is not safe
 * to write there, or the file system's.
 */
export function openTraceFile(path: string): number {
  if (!/^\/[^\0]*[^/\0]$/.test(path) || /\/\.\.?\//.test(path))
    throw new Error(`${JSON.stringify(path)} is no absolute path of a file`);
  const directory = path.slice(0, path.lastIndexOf('/')) || '/';
  if (path === traceFile) mkdirSync(directory, { recursive: true, mode: 0o700 });
  refuseUnsafe(directory);
  putAside(path);
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const O_APPEND = 0o2000;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const { kind, uid } = fstatSync(fd);
  if (kind === 'file' && isOwn(uid)) return fd;
  closeSync(fd);
  throw new Error(`${path} is ${kind === 'file' ? "another user's file" : 'no file'}`);
}

/** Nobody else may be able to put another file, or a link, in the place of the one that is opened. */
function refuseUnsafe(directory: string): void {
  for (let path = directory; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const stat = lstatIfThere(path);
    if (stat?.kind !== 'directory')
      throw new Error(`${path} is ${stat === undefined ? 'not there' : 'no directory'}`);
    const openToOthers = (stat.mode & 0o022) !== 0 && (stat.mode & sticky) === 0;
    if (openToOthers || !(isOwn(stat.uid) || stat.uid === 0)) throw new Error(`others may write in ${path}`);
  }
}

function isOwn(uid: number): boolean {
  return uid === process.geteuid?.();
}

function putAside(path: string): void {
  const stat = lstatIfThere(path);
  if (stat === undefined || stat.size <= largest) return;
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    throw new Error(`cannot put the full trace aside: ${messageOf(error)}`);
  }
}
