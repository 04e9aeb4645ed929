import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { CniError } from '../../cni/index.ts';
import { callerName, executableName, pluginNames } from '../../plugins/names.ts';
import type { Call, Command, Report } from '../command.ts';
import {
  copyExecutable,
  type Done,
  linkPlugin,
  refuseDirectories,
  removeLeftovers,
  syncDirectory,
  writeExecutable,
} from '../install-files.ts';
import type { Option } from '../option.ts';
import { table } from '../text/table.ts';
import { version } from '../version-number.ts';

const defaultDirectory = '/opt/cni/bin';
const served: Option = { name: 'served', about: 'for a node where `fairlead serve` does the calls' };

/** `fairlead install`. */
export const install: Command = {
  name: 'install',
  summary: 'puts this executable and its plugins into a CNI bin directory',
  about: `Copies this executable into a CNI bin directory, ${defaultDirectory} if none is given, and makes a link
to it for each plugin; \`fairlead version\` names them.

Each file appears at once, by rename. So this can be done on a node in use, over an older version
and over the reference plugins: what is running goes on with the old file.

With --served the links lead to fairlead-call, a program of two kilobytes that is put there too. It
hands a plugin's call over to \`fairlead serve\`, and executes fairlead where that does not run.
Without --served fairlead-call is removed where it is.`,
  parameters: [
    { name: 'DIR', about: 'the bin directory; it is made where there is none', presence: 'optional' },
  ],
  options: [served],
  examples: ['fairlead install', 'fairlead install /usr/lib/cni --json', 'fairlead install --served'],
  whenFailed: 'the directory could not be written',
  run,
};

async function run({ parameters, options, io }: Call): Promise<Report> {
  const directory = resolve(parameters[0] ?? defaultDirectory);
  const source = io.executablePath;
  if (source === undefined) {
    throw new CniError(
      'ioFailure',
      'there is no executable to install: this fairlead is run from its source',
      '`npm run build` makes dist/fairlead, which can install itself',
    );
  }
  const caller = options.flag(served) ? await callerBytes() : undefined;
  const files = writing(directory, () => {
    if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o755 });
    refuseDirectories(directory, [executableName, callerName, ...pluginNames]);
    removeLeftovers(directory);
    const at = (name: string) => `${directory}/${name}`;
    const done = [{ name: executableName, done: copyExecutable(source, at(executableName)) }];
    if (caller) done.push({ name: callerName, done: writeExecutable(caller, at(callerName)) });
    const to = caller ? callerName : executableName;
    for (const name of pluginNames) done.push({ name, done: linkPlugin(to, at(name)) });
    // After the links, which lead to it until they are replaced.
    if (!caller && existsSync(at(callerName))) done.push({ name: callerName, done: remove(at(callerName)) });
    syncDirectory(directory);
    return done;
  });
  return {
    text: (style) => {
      const rows = files.map(({ name, done }) => [name, done]);
      return `${style.green('installed')} fairlead ${version} in ${directory}\n\n${table(['FILE', 'WHAT WAS DONE'], rows, style)}`;
    },
    json: { version, directory, files },
  };
}

/** Throws a `CniError` (4) on other machines than x86-64, where there is none. */
async function callerBytes(): Promise<Uint8Array> {
  const { callerProgram } = await import('../serve/caller/program.ts');
  if (process.arch === 'x64') return callerProgram();
  throw new CniError(
    'invalidEnvironment',
    `there is no ${callerName} for ${process.arch} machines yet`,
    'without --served the plugins work as well',
  );
}

function remove(path: string): Done {
  rmSync(path);
  return 'removed';
}

function writing<T>(directory: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof CniError || !(error instanceof Error)) throw error;
    throw new CniError('ioFailure', `cannot install into ${directory}: ${error.message}`);
  }
}
