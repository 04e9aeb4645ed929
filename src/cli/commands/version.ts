import { cniVersions } from '../../cni/index.ts';
import { pluginNames } from '../../plugins/names.ts';
import type { Command } from '../command.ts';
import { definitions } from '../text/table.ts';
import { version as number } from '../version-number.ts';

/** `fairlead version`. */
export const version: Command = {
  name: 'version',
  summary: 'shows the version, the plugins and the CNI versions they speak',
  about: 'Shows the version of fairlead, the plugins in it and the CNI versions that they speak.',
  parameters: [],
  options: [],
  examples: ['fairlead version'],
  run: ({ io }) => ({
    text: () =>
      `fairlead ${number}\n\n${definitions([
        ['plugins', pluginNames.join(', ')],
        ['CNI versions', cniVersions.join(', ')],
        ['executable', io.executablePath ?? 'none: run from its source'],
      ])}`,
    json: { version: number, plugins: pluginNames, cniVersions, executable: io.executablePath ?? null },
  }),
};
