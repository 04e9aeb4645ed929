/** Fairlead's own plugins for the plugin under test, so that host-local and static are there without a build. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Resolve } from '../cni/index.ts';
import { isPluginName, loadPlugin, pluginNames } from '../plugins/names.ts';

const program = new URL('run-own-plugin.ts', import.meta.url).pathname;

let directory: string | undefined;

/** A CNI bin directory with them, made when it is first asked for: in the sandbox's own /run, and gone with this process. */
export function ownPluginDirectory(): string {
  if (directory !== undefined) return directory;
  const made = mkdtempSync('/run/fairlead-plugins-');
  for (const name of pluginNames) {
    writeFileSync(`${made}/${name}`, `#!/bin/sh\nexec '${process.execPath}' '${program}' ${name}\n`);
    chmodSync(`${made}/${name}`, 0o755);
  }
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  directory = made;
  return made;
}

/** Those of that directory are called in process. */
export const resolveOwn: Resolve = (type, path) =>
  isPluginName(type) && path === `${directory}/${type}` ? () => loadPlugin(type) : undefined;
