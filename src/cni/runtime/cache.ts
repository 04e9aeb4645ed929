import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attachment } from '../plugin.ts';
import {
  type CachedAttachment,
  type CacheReading,
  decodeCacheFile,
  encodeCacheFile,
} from './cache-format.ts';
import { findFiles, isMissing } from './find.ts';

/** The store of the results of ADD, which CHECK, DEL and GC need later. */
export interface ResultCache {
  /** What is kept for an attachment. Never throws: what cannot be read is `unreadable`. */
  read(key: Attachment): CacheReading;
  /** Keeps an entry in place of an older one. Throws the file system's error. */
  write(entry: CachedAttachment): void;
  /** Forgets an attachment, unless what is kept under its name is another's. Throws the file system's error. */
  remove(key: Attachment): void;
  /** Every attachment kept, in the order of the file names. Throws a `CniError` (5) if the folder cannot be listed. */
  list(): CachedAttachment[];
  /** The file that holds an attachment. */
  path(key: Attachment): string;
}

/**
 * The result cache in libcni's own place, `<cacheDir>/results/<network>-<containerId>-<ifname>`, and with its modes
 * (folders 0700, files 0600), so that a node can be switched between runtimes while containers run.
 *
 * The name joins three ids with a character that each of them may hold, so two attachments can share one: every read
 * therefore compares the ids inside. A file is written under `results/.writing/`, which libcni skips as a folder, and
 * renamed, so nobody reads half of one. It is not synced to the disk: after a crash of the machine there is no network
 * namespace left that it could describe.
 *
 * The ids of the keys become part of a path: callers validate them first (`refuseWrongIds`).
 */
export function createResultCache(cacheDir: string): ResultCache {
  const folder = join(cacheDir, 'results');
  const writing = join(folder, '.writing');
  const fileName = (key: Attachment) => `${key.network}-${key.containerId}-${key.ifname}`;
  const path = (key: Attachment) => join(folder, fileName(key));

  function read(key: Attachment): CacheReading {
    const reading = readFile(path(key));
    return reading.kind === 'entry' && !isSame(reading.entry, key)
      ? { kind: 'foreign', owner: reading.entry }
      : reading;
  }

  function write(entry: CachedAttachment): void {
    mkdirSync(writing, { recursive: true, mode: 0o700 });
    const temporary = join(writing, fileName(entry));
    writeFileSync(temporary, encodeCacheFile(entry), { mode: 0o600 });
    renameSync(temporary, path(entry));
  }

  function remove(key: Attachment): void {
    rmSync(join(writing, fileName(key)), { force: true });
    if (read(key).kind !== 'foreign') rmSync(path(key), { force: true });
  }

  function list(): CachedAttachment[] {
    const entries: CachedAttachment[] = [];
    for (const file of findFiles(folder, [''])) {
      const reading = readFile(file);
      if (reading.kind === 'entry' && path(reading.entry) === file) entries.push(reading.entry);
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

function isSame(a: Attachment, b: Attachment): boolean {
  return a.network === b.network && a.containerId === b.containerId && a.ifname === b.ifname;
}
