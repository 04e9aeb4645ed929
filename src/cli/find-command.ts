import type { Command } from './command.ts';
import { didYouMean } from './text/nearest.ts';
import { UsageError } from './usage-error.ts';

/** The command of this name. Throws a `UsageError` that says which was probably meant. */
export function commandNamed(name: string, commands: readonly Command[]): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = commands.map((candidate) => candidate.name);
  throw new UsageError(
    `there is no command "${name}"`,
    didYouMean(name, names) || `there are ${names.join(', ')}`,
  );
}
