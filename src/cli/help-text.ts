/** The help of a command, made from its declaration, and the overview of all. */
import type { Command, Parameter } from './command.ts';
import { exitCodes, exitCodeTexts } from './exit-code.ts';
import type { Option } from './option.ts';
import { optionsOf } from './parse.ts';
import type { Style } from './text/style.ts';
import { definitions } from './text/table.ts';

/** `fairlead add NETWORK NETNS [OPTION]…` */
export function usageLine(command: Command): string {
  const parameters = command.parameters.map(parameterText);
  const words = command.passesOn ? ['[OPTION]…', ...parameters] : [...parameters, '[OPTION]…'];
  return ['fairlead', command.name, ...words].join(' ');
}

/** The help of one command. */
export function commandHelp(command: Command, style: Style): string {
  const { about, parameters, examples, whenFailed } = command;
  const exits = exitCodeTexts.map(([code, text]): [string, string] => [
    String(code),
    code === exitCodes.failed ? (whenFailed ?? 'failed with a CNI error') : text,
  ]);
  const sections = [
    `${style.bold('Usage:')} ${usageLine(command)}\n`,
    `${about}\n`,
    definitions(parameters.map(({ name, about }) => [name, about])),
    section('Options', definitions(optionsOf(command).flatMap(optionLines)), style),
    section(
      examples.length > 1 ? 'Examples' : 'Example',
      examples.map((line) => `  ${line}\n`).join(''),
      style,
    ),
    section('Exit codes', definitions(exits), style),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** What `fairlead` is and which commands it has. */
export function overview(commands: readonly Command[], style: Style): string {
  return [
    `${style.bold('Usage:')} fairlead COMMAND [ARGUMENT]… [OPTION]…\n`,
    'Connects network namespaces to networks with CNI plugins, and looks after the plugins.\n',
    section('Commands', definitions(commands.map(({ name, summary }) => [name, summary])), style),
    "`fairlead COMMAND --help` shows a command's arguments, options and an example.\n",
  ].join('\n');
}

function section(title: string, body: string, style: Style): string {
  return `${style.bold(title)}\n${body}`;
}

function parameterText({ name, presence }: Parameter): string {
  if (presence === 'optional') return `[${name}]`;
  if (presence === 'rest') return `[${name}…]`;
  return presence === 'repeated' ? `${name}…` : name;
}

/** An option and, on a line of its own, what holds where it is not given. */
function optionLines({ name, value, variable, fallback, about }: Option): (readonly [string, string])[] {
  const otherwise = [variable === undefined ? undefined : `$${variable}`, fallback]
    .filter((source) => source !== undefined)
    .join(', else ');
  const line = [value === undefined ? `--${name}` : `--${name} ${value}`, about] as const;
  return otherwise === '' ? [line] : [line, ['', `otherwise ${otherwise}`]];
}
