/** A host's file operations, by libc: loading node:fs would cost every start of a plugin. */
import type { ProcessFiles } from '../cni/index.ts';
import { readSync, statIfThere, writeSync } from '../kernel/sys/file.ts';

/** For `processHost`. */
export const processFiles: ProcessFiles = {
  readSync,
  writeSync,
  isFile: (path) => statIfThere(path)?.kind === 'file',
};

/** The path that this process was started by, as far as it is known. */
export function executedPath(): string {
  return process.argv0.startsWith('/') ? process.argv0 : process.execPath;
}
