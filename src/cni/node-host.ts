/** The host that is this process, with what Node, Bun and Deno share. */
import { readSync, statSync, writeSync } from 'node:fs';
import type { Host } from './host.ts';
import { type ProcessFiles, processHost } from './process-host.ts';
import { watchProcess } from './watch.ts';

/** node:fs as a host needs it. */
export const nodeFiles: ProcessFiles = {
  readSync,
  writeSync,
  isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
};

/** This process as a plugin's host: its environment, standard input, output and error; mistakes of the author are watched for. */
export function nodeHost(options: Pick<Host, 'resolve'> = {}): Host {
  return processHost(nodeFiles, { watch: watchProcess, ...options });
}
