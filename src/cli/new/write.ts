/** Writing a directory that appears at once, or not at all. */
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { CniError } from '../../cni/index.ts';

/** Writes a new directory with files (mode 0644) by their names. Throws a `CniError` (5); nothing is left then. */
export function writeProject(directory: string, files: Readonly<Record<string, string>>): void {
  const parent = dirname(directory);
  const temporary = `${parent}/.fairlead.${randomUUID()}.${basename(directory)}.new`;
  writing(directory, () => {
    if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) {
      throw new CniError('ioFailure', `${directory} exists already`, 'name a directory that does not exist');
    }
    mkdirSync(parent, { recursive: true });
    mkdirSync(temporary);
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(`${temporary}/${name}`, text);
      renameSync(temporary, directory);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
  });
}

function writing(directory: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof CniError || !(error instanceof Error)) throw error;
    throw new CniError('ioFailure', `cannot write ${directory}: ${error.message}`);
  }
}
