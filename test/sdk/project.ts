/** A project of a plugin's author, outside of this repository, that has `fairlead` in its node_modules. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** This repository. */
export const repository = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

/** A directory with files. Disposing it takes it away. */
export interface Project extends Disposable {
  readonly directory: string;
  /** Writes a plugin's file, a script that Bun runs, and returns its path: any runtime can execute it. */
  plugin(source: string): string;
  write(name: string, text: string): string;
}

/** Makes one. */
export function createProject(): Project {
  const directory = mkdtempSync(`${tmpdir()}/fairlead-project-`);
  mkdirSync(`${directory}/node_modules`);
  symlinkSync(repository, `${directory}/node_modules/fairlead`);
  const write = (name: string, text: string, mode = 0o644) => {
    writeFileSync(`${directory}/${name}`, text, { mode });
    return `${directory}/${name}`;
  };
  return {
    directory,
    write,
    plugin(source) {
      write('mine.ts', source);
      return write('mine', `#!/bin/sh\nexec '${process.execPath}' '${directory}/mine.ts'\n`, 0o755);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
