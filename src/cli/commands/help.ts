import type { Command } from '../command.ts';
import { commandNamed } from '../find-command.ts';
import { commandHelp, overview } from '../help-text.ts';

/** `fairlead help`, for these commands. */
export const helpOn = (commands: () => readonly Command[]): Command => ({
  name: 'help',
  summary: 'shows the commands, or the help of one',
  about: 'Shows the commands, or the arguments and options of one.',
  parameters: [{ name: 'COMMAND', about: 'the name of a command', presence: 'optional' }],
  options: [],
  examples: ['fairlead help add'],
  run: ({ parameters: [name] }) => {
    const all = commands();
    const command = name === undefined ? undefined : commandNamed(name, all);
    return {
      text: (style) => (command === undefined ? overview(all, style) : commandHelp(command, style)),
      json: command === undefined ? all.map(describe) : describe(command),
    };
  },
});

function describe({ name, summary, parameters, options }: Command) {
  return { name, summary, parameters, options };
}
