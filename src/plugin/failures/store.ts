/**
 * The failures of a node: a file each, `NUMBER.json`, in a directory of root's alone. They are gone with the next boot,
 * as the namespaces are that they are about. There are at most a hundred, of at most 80 KiB each.
 */
import {
  linkSync,
  lstatIfThere,
  mkdirSync,
  readdirSync,
  readFileSync,
  removeFile,
  writeFileSync,
} from '../../kernel/sys/file.ts';
import { SystemError } from '../../kernel/sys/libc.ts';
import type { Failure, KeptFailure } from './failure.ts';

/** Where they are. */
export const failuresDirectory = '/run/fairlead/failures';

/** The older ones go when there are more. */
export const mostFailures = 100;

/** Characters that are kept of a configuration, of what was printed, and of all variables. Usual are some thousand. */
const limits = { stdin: 48 * 1024, output: 8 * 1024, env: 8 * 1024 } as const;

/** Keeps a failure and forgets the oldest ones. Throws the file system's errors, and an Error where the directory is not the user's own. */
export function keepFailure(failure: Failure, directory = failuresDirectory): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  refuseForeign(directory);
  const ids = idsIn(directory);
  let id = Math.max(0, ...ids) + 1;
  const temporary = `${directory}/.new-${process.pid}`;
  removeFile(temporary);
  // Written whole before it has its name; who opens a directory of mode 0700 is root.
  writeFileSync(temporary, JSON.stringify(bounded(failure)), { mode: 0o600 });
  try {
    while (!linkNew(temporary, `${directory}/${id}.json`)) id++;
  } finally {
    removeFile(temporary);
  }
  for (const old of ids) if (old <= id - mostFailures) removeFile(`${directory}/${old}.json`);
  removeUnfinished(directory);
}

function bounded(failure: Failure): Failure {
  const { stdin, output, env } = failure;
  const isLong = stdin.length > limits.stdin;
  let room: number = limits.env;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    room -= name.length + value.length;
    if (room >= 0) kept[name] = value;
  }
  return {
    ...failure,
    env: kept,
    stdin: isLong ? stdin.slice(0, limits.stdin) : stdin,
    output: output.slice(0, limits.output),
    ...(isLong && { truncated: true }),
  };
}

function refuseForeign(directory: string): void {
  const stat = lstatIfThere(directory);
  if (stat?.kind !== 'directory' || stat.uid !== process.geteuid?.() || (stat.mode & 0o077) !== 0)
    throw new Error(`${directory} is no directory of this user's alone`);
}

function idsIn(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => {
    const [, digits] = /^([1-9][0-9]{0,14})\.json$/.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function linkNew(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** What processes left that were killed while they wrote. */
function removeUnfinished(directory: string): void {
  const old = BigInt(Date.now() - 60_000) * 1_000_000n;
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    if (name.startsWith('.new-') && (lstatIfThere(path)?.mtimeNs ?? old) < old) removeFile(path);
  }
}

/** The failures that are kept, the oldest first; none where there is no directory. What cannot be read is left out. Throws SystemError. */
export function readFailures(directory = failuresDirectory): KeptFailure[] {
  if (lstatIfThere(directory) === undefined) return [];
  return idsIn(directory)
    .sort((a, b) => a - b)
    .flatMap((id) => readFailure(directory, id) ?? []);
}

function readFailure(directory: string, id: number): KeptFailure | undefined {
  try {
    const failure = JSON.parse(readFileSync(`${directory}/${id}.json`, 'utf8')) as Failure;
    const { time, plugin, executable, env, stdin, output } = failure;
    const isWhole =
      [time, plugin, executable, stdin, output].every((text) => typeof text === 'string') &&
      typeof env === 'object' &&
      env !== null;
    return isWhole ? { ...failure, id } : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets all failures; returns how many there were. Throws SystemError. */
export function clearFailures(directory = failuresDirectory): number {
  if (lstatIfThere(directory) === undefined) return 0;
  const ids = idsIn(directory);
  for (const id of ids) removeFile(`${directory}/${id}.json`);
  return ids.length;
}
