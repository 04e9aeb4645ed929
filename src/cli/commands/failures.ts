import { dirname } from 'node:path';
import { CniError } from '../../cni/index.ts';
import { errorOf, type FailureError, type KeptFailure } from '../../plugin/failures/failure.ts';
import { clearFailures, failuresDirectory, readFailures } from '../../plugin/failures/store.ts';
import type { Call, Command, Report } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { aboutNewNamespace, newNamespaceFor, repeat, shellCommand } from '../failures/repeat.ts';
import type { Option } from '../option.ts';
import { trace } from '../option.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { table } from '../text/table.ts';
import { UsageError } from '../usage-error.ts';

const lastOption: Option = { name: 'last', about: 'shows the newest one with everything' };
const repeatOption: Option = {
  name: 'repeat',
  about: 'runs the call again, as it was; an ADD whose namespace is gone in a new one',
};
const clearOption: Option = { name: 'clear', about: 'forgets them all' };

/** `fairlead failures`. */
export const failures: Command = {
  name: 'failures',
  summary: 'shows calls of plugins that failed on this node',
  about: `Shows the ADD, DEL, CHECK and GC that failed since the node started, the newest last; with a NUMBER,
or --last, one with everything that is kept of it, and a command line that repeats it. Kept are the
last hundred, for root alone: the variables CNI_…, the configuration and the error. CNI_ARGS and the
configuration are kept as they came, with whatever is secret in them.`,
  parameters: [{ name: 'NUMBER', about: 'a failure, by its number in the list', presence: 'optional' }],
  options: [lastOption, repeatOption, trace, clearOption],
  examples: ['fairlead failures', 'fairlead failures --last', 'fairlead failures 7 --repeat --trace'],
  whenFailed: 'failed with a CNI error; of --repeat: the call failed again',
  run,
};

async function run(call: Call): Promise<Report> {
  const { options, parameters } = call;
  const isAbout = parameters.length > 0 || options.flag(lastOption);
  if (options.flag(clearOption)) {
    if (isAbout) throw new UsageError('--clear forgets all failures, not one');
    const cleared = clearFailures();
    return { text: () => `forgot ${cleared} failure${cleared === 1 ? '' : 's'}\n`, json: { cleared } };
  }
  const kept = readFailures();
  if (!isAbout) {
    if (options.flag(repeatOption)) throw new UsageError('--repeat needs a NUMBER, or --last');
    return { text: (style) => listText(kept, style), json: kept.map(toJson) };
  }
  const failure = pick(kept, parameters[0]);
  return options.flag(repeatOption)
    ? repeated(failure, call)
    : { text: (style) => failureText(failure, style), json: toJson(failure) };
}

function pick(kept: readonly KeptFailure[], number: string | undefined): KeptFailure {
  const found = number === undefined ? kept.at(-1) : kept.find(({ id }) => String(id) === number);
  if (found !== undefined) return found;
  const there =
    kept.length === 0
      ? `there is none in ${failuresDirectory}`
      : `there are ${kept[0]?.id} to ${kept.at(-1)?.id}`;
  throw new CniError(
    'invalidEnvironment',
    number === undefined ? 'no failure is kept' : `there is no failure ${number}`,
    there,
  );
}

async function repeated(failure: KeptFailure, { io }: Call): Promise<Report> {
  const { takenBack, ...ended } = await repeat(failure, io.env, io.interrupted());
  const { exitCode, stdout, stderr } = ended;
  const succeeded = exitCode === 0;
  const where = takenBack === undefined ? '' : printable(aboutNewNamespace(failure));
  const rest =
    takenBack === undefined || takenBack.exitCode === 0
      ? ''
      : `it could not be taken back: ${describeError(errorOf({ ...failure, output: takenBack.stdout }))}`;
  return {
    exitCode: succeeded ? exitCodes.done : exitCodes.failed,
    text: ({ green, red }) => {
      if (!succeeded) {
        const said = describeError(errorOf({ ...failure, output: stdout }));
        const error = said === '' ? `exit code ${exitCode} without saying why` : said;
        return `${red(printable(`failed again, ${error}`))}\n${where && `${where}\n`}`;
      }
      const back = where && (rest === '' ? `, and was taken back: ${where}` : `: ${where}`);
      return `${green('succeeded')}${back}\n${stdout}`;
    },
    json: { id: failure.id, ...ended, inNewNamespace: takenBack !== undefined },
    warnings: [stderr, rest].filter((text) => text !== ''),
  };
}

function toJson(failure: KeptFailure) {
  return {
    ...failure,
    command: failure.env.CNI_COMMAND,
    error: errorOf(failure),
    repeat: shellCommand(failure),
  };
}

function describeError({ code, message }: FailureError): string {
  return code === undefined ? message : `error ${code}: ${message}`;
}

function networkOf({ stdin }: KeptFailure): string {
  try {
    const { name } = JSON.parse(stdin) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** `2026-11-25 00:09:22`: what a person compares with a clock, in UTC as logs have it. */
function clock(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

/** The list is a line each: what is longer is in the failure's own text. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function listText(kept: readonly KeptFailure[], style: Style): string {
  if (kept.length === 0) return 'no failures\n';
  const rows = kept.map((failure) => {
    const { CNI_COMMAND = '', CNI_CONTAINERID = '' } = failure.env;
    const error = { text: shortened(describeError(errorOf(failure)), 80), style: style.red };
    const what = `${CNI_COMMAND} ${failure.plugin}`;
    return [
      String(failure.id),
      clock(failure.time),
      what,
      networkOf(failure),
      shortened(CNI_CONTAINERID, 20),
      error,
    ];
  });
  const headings = ['NUMBER', 'TIME (UTC)', 'CALL', 'NETWORK', 'CONTAINER ID', 'ERROR'];
  return `${table(headings, rows, style)}
\`fairlead failures NUMBER\` shows one with everything, \`fairlead failures NUMBER --repeat --trace\` repeats it.
`;
}

function failureText(failure: KeptFailure, style: Style): string {
  const { id, time, plugin, env, stdin, truncated } = failure;
  const rows: [string, string][] = [
    ['time', `${clock(time)} UTC`],
    ['error', describeError(errorOf(failure))],
    ['network', networkOf(failure)],
    ['executable', failure.executable],
    ...Object.entries(env),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}`.trimEnd());
  const again = truncated
    ? 'The configuration was too long to be kept whole: this cannot be repeated.\n'
    : howToRepeat(failure, style);
  return `${style.bold(`failure ${id}: ${env.CNI_COMMAND} of plugin ${plugin}`)}

${lines.join('\n')}

${style.bold('Configuration')}

${indented(pretty(stdin))}
${again}`;
}

function howToRepeat(failure: KeptFailure, { bold }: Style): string {
  const where = newNamespaceFor(failure) === undefined ? '' : `, ${printable(aboutNewNamespace(failure))}`;
  return `${bold('To repeat it')}${where}

  fairlead failures ${failure.id} --repeat --trace

or without fairlead, from ${dirname(failure.executable)}:

${shellCommand(failure)}
`;
}

function pretty(stdin: string): string {
  try {
    return JSON.stringify(JSON.parse(stdin), null, 2);
  } catch {
    return stdin;
  }
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line) === '' ? '' : line.replaceAll(/\p{Cc}/gu, '\ufffd')}\n`)
    .join('');
}
