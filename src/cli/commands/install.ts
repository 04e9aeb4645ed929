import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { CniError } from '../../cni/index.ts';
import { pluginNames } from '../../plugins/names.ts';
import type { Call, Command, Report } from '../command.ts';
import {
  copyExecutable,
  linkPlugin,
  refuseDirectories,
  removeLeftovers,
  syncDirectory,
} from '../install-files.ts';
import { table } from '../text/table.ts';
import { version } from '../version-number.ts';

const defaultDirectory = '/opt/cni/bin';
/** The executable's name in a bin directory; the plugins are links to it. */
const executableName = 'fairlead';

/** `fairlead install`. */
export const install: Command = {
  name: 'install',
  summary: 'puts this executable and its plugins into a CNI bin directory',
  about: `Copies this executable into a CNI bin directory, ${defaultDirectory} if none is given, and makes a link
to it for each plugin; \`fairlead version\` names them.

Each file appears at once, by rename. So this can be done on a node in use, over an older version
and over the reference plugins: what is running goes on with the old file.`,
  parameters: [
    { name: 'DIR', about: 'the bin directory; it is made where there is none', presence: 'optional' },
  ],
  options: [],
  examples: ['fairlead install', 'fairlead install /usr/lib/cni --json'],
  whenFailed: 'the directory could not be written',
  run,
};

function run({ parameters, io }: Call): Report {
  const directory = resolve(parameters[0] ?? defaultDirectory);
  const source = io.executablePath;
  if (source === undefined) {
    throw new CniError(
      'ioFailure',
      'there is no executable to install: this fairlead is run from its source',
      '`npm run build` makes dist/fairlead, which can install itself',
    );
  }
  const files = writing(directory, () => {
    if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o755 });
    refuseDirectories(directory, [executableName, ...pluginNames]);
    removeLeftovers(directory);
    const copied = { name: executableName, done: copyExecutable(source, `${directory}/${executableName}`) };
    const linked = pluginNames.map((name) => ({
      name,
      done: linkPlugin(executableName, `${directory}/${name}`),
    }));
    syncDirectory(directory);
    return [copied, ...linked];
  });
  return {
    text: (style) => {
      const rows = files.map(({ name, done }) => [name, done]);
      return `${style.green('installed')} fairlead ${version} in ${directory}\n\n${table(['FILE', 'WHAT WAS DONE'], rows, style)}`;
    },
    json: { version, directory, files },
  };
}

function writing<T>(directory: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof CniError || !(error instanceof Error)) throw error;
    throw new CniError('ioFailure', `cannot install into ${directory}: ${error.message}`);
  }
}
