import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CniError, messageOf } from '../error.ts';

/**
 * The files of a folder whose names end so, sorted by name (`ConfFiles` in libcni/conf.go); none where there is no
 * such folder. Throws a `CniError` (5) if it cannot be listed.
 */
export function findFiles(folder: string, endings: readonly string[]): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && endings.some((ending) => entry.name.endsWith(ending)))
      .map((entry) => join(folder, entry.name))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw new CniError('ioFailure', `${folder}: cannot be listed: ${messageOf(error)}`);
  }
}

/** Whether a file system call failed because the file or a folder on its way is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
