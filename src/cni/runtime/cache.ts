import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CacheEntry, type CacheReading, decodeCacheFile, encodeCacheFile } from './cache-format.ts';

/** What names one attachment of a container to a network (SPEC section 3). */
export interface AttachmentKey {
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
}

/** The store of the results of ADD, which CHECK, DEL and GC need later. */
export interface ResultCache {
  /** What is kept for an attachment. Never throws: what cannot be read is `unreadable`. */
  read(key: AttachmentKey): CacheReading;
  /** Keeps an entry in place of an older one. Throws the file system's error. */
  write(entry: CacheEntry): void;
  /** Forgets an attachment, unless what is kept under its name is another's. Throws the file system's error. */
  remove(key: AttachmentKey): void;
  /** Every attachment kept, in the order of the file names. Throws the file system's error, a missing folder is empty. */
  list(): CacheEntry[];
  /** The file that holds an attachment. */
  path(key: AttachmentKey): string;
}

/**
 * The result cache in libcni's own place, `<cacheDir>/results/<network>-<containerId>-<ifName>`, and with its modes
 * (folders 0700, files 0600), so that a node can be switched between runtimes while containers run.
 *
 * The name joins three ids with a character that each of them may hold, so two attachments can share one: every read
 * therefore compares the ids inside. A file is written under `results/.writing/`, which libcni skips as a folder, and
 * renamed, so nobody reads half of one. It is not synced to the disk: after a crash of the machine there is no network
 * namespace left that it could describe.
 *
 * The ids of the keys become part of a path: callers validate them first (`validateAttachment`).
 */
export function createResultCache(cacheDir: string): ResultCache {
  const folder = join(cacheDir, 'results');
  const writing = join(folder, '.writing');
  const fileName = (key: AttachmentKey) => `${key.network}-${key.containerId}-${key.ifName}`;
  const path = (key: AttachmentKey) => join(folder, fileName(key));

  function read(key: AttachmentKey): CacheReading {
    const reading = readFile(path(key));
    return reading.kind === 'entry' && !isSame(reading.entry, key)
      ? { kind: 'foreign', owner: reading.entry }
      : reading;
  }

  function write(entry: CacheEntry): void {
    mkdirSync(writing, { recursive: true, mode: 0o700 });
    const temporary = join(writing, fileName(entry));
    writeFileSync(temporary, encodeCacheFile(entry), { mode: 0o600 });
    renameSync(temporary, path(entry));
  }

  function remove(key: AttachmentKey): void {
    rmSync(join(writing, fileName(key)), { force: true });
    if (read(key).kind !== 'foreign') rmSync(path(key), { force: true });
  }

  function list(): CacheEntry[] {
    const entries: CacheEntry[] = [];
    for (const name of fileNames(folder)) {
      const reading = readFile(join(folder, name));
      if (reading.kind === 'entry' && fileName(reading.entry) === name) entries.push(reading.entry);
    }
    return entries;
  }

  return { read, write, remove, list, path };
}

function readFile(file: string): CacheReading {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (isMissing(error)) return { kind: 'none' };
    return { kind: 'unreadable', reason: (error as Error).message };
  }
  return decodeCacheFile(bytes);
}

function fileNames(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isSame(a: AttachmentKey, b: AttachmentKey): boolean {
  return a.network === b.network && a.containerId === b.containerId && a.ifName === b.ifName;
}
