import { resolve } from 'node:path';
import type { Call, Command, Report } from '../command.ts';
import { findCheckout } from '../new/checkout.ts';
import { projectFiles } from '../new/files.ts';
import { refuseName } from '../new/name.ts';
import { writeProject } from '../new/write.ts';
import type { Option } from '../option.ts';

const checkoutOption: Option = {
  name: 'fairlead',
  value: 'DIR',
  variable: 'FAIRLEAD_SOURCE',
  about: "a checkout of Fairlead's source to build with; this executable's own if left out",
};

/** `fairlead new`. */
export const newPlugin: Command = {
  name: 'new',
  summary: 'begins a plugin of your own, in TypeScript',
  about: `Writes a small project into a new directory: a plugin that connects containers, tests that drive
it against the kernel, a configuration list and a README that says how containerd gets it.
It works at once; change it into the plugin that you need.`,
  parameters: [
    { name: 'NAME', about: "the plugin's name, which configurations give as `type`" },
    { name: 'DIR', about: 'the directory that is made; NAME if left out', presence: 'optional' },
  ],
  options: [checkoutOption],
  examples: ['fairlead new my-network', 'fairlead new my-network ~/src/my-network --fairlead ~/src/fairlead'],
  whenFailed: 'the project could not be written',
  run,
};

function run({ parameters: [name = '', given], options, io }: Call): Report {
  refuseName(name);
  const directory = resolve(given ?? name);
  const checkout = findCheckout(options.text(checkoutOption), io.executablePath);
  const files = projectFiles({ name, checkout });
  writeProject(directory, files);
  return {
    text: ({ green }) => `${green('written')} plugin ${name} in ${directory}: ${Object.keys(files).join(', ')}

    cd ${directory}
    npm install
    npm test        # as root: on a node of its own
    npm run build   # makes dist/${name}
`,
    json: { name, directory, fairlead: checkout, files: Object.keys(files) },
  };
}
