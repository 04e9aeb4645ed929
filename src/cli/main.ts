/** `fairlead`, the command line: finds the command, runs it, prints what it reports. */
import { encodeError } from '../cni/error.ts';
import { CniError, currentVersion, toCniError } from '../cni/index.ts';
import { adviceFor } from './advice.ts';
import type { Report } from './command.ts';
import { commands } from './commands/index.ts';
import { exitCodes } from './exit-code.ts';
import { commandNamed } from './find-command.ts';
import { commandHelp, overview } from './help-text.ts';
import type { CliIo } from './io.ts';
import * as option from './option.ts';
import { parse } from './parse.ts';
import { printable } from './text/printable.ts';
import { styleFor } from './text/style.ts';
import { UsageError } from './usage-error.ts';

/** What people also type for a command. */
const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/** Runs the command line with these arguments (those after the executable's name) and returns the exit code. Never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.writeStderr(overview(commands, styleFor(io.stderrIsTerminal, io.env)));
    return exitCodes.usage;
  }
  const name = Object.hasOwn(aliases, first) ? (aliases[first] ?? first) : first;
  const asJson = argv.includes(`--${option.json.name}`);
  try {
    const command = commandNamed(name, commands);
    const { parameters, options } = parse(command, rest, io.env);
    if (options.flag(option.help)) {
      io.writeStdout(commandHelp(command, styleFor(io.stdoutIsTerminal, io.env)));
      return exitCodes.done;
    }
    const run = (runIo: CliIo) => command.run({ parameters, options, io: runIo });
    return print(
      options.flag(option.trace) ? await traced(name, asJson, io, run) : await run(io),
      asJson,
      io,
    );
  } catch (error) {
    return fail(error, name, asJson, io);
  }
}

async function traced(
  name: string,
  asJson: boolean,
  io: CliIo,
  run: (io: CliIo) => Report | Promise<Report>,
): Promise<Report> {
  const { runTraced } = await import('./trace/run.ts');
  return runTraced(`fairlead ${name}`, asJson, io, run);
}

function print(
  { exitCode = exitCodes.done, text, json, warnings = [] }: Report,
  asJson: boolean,
  io: CliIo,
): number {
  const { yellow } = styleFor(io.stderrIsTerminal, io.env);
  io.writeStdout(asJson ? toText(json) : text(styleFor(io.stdoutIsTerminal, io.env)));
  for (const warning of warnings) io.writeStderr(`${yellow('warning:')} ${printable(warning)}\n`);
  return exitCode;
}

/** For people one line on standard error; for programs a CNI error object (SPEC.md section 5) on standard output. */
function fail(thrown: unknown, command: string, asJson: boolean, io: CliIo): number {
  const { code, msg, details } = toCniError(thrown);
  const advice = adviceFor(thrown, command, io);
  const error = new CniError(code, msg, [details, advice].filter((text) => text !== '').join('; '));
  const { red } = styleFor(io.stderrIsTerminal, io.env);
  if (asJson) io.writeStdout(toText(encodeError(error, currentVersion)));
  else io.writeStderr(`${red(`error ${code}:`)} ${printable(error.message)}\n`);
  return thrown instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}

function toText(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
