/** From arguments to a call: `parseArgs` of node:util cuts them up, the messages are ours. */
import { parseArgs } from 'node:util';
import type { Environment } from '../cni/index.ts';
import type { Command, OptionValues } from './command.ts';
import { help, json, type Option } from './option.ts';
import { didYouMean } from './text/nearest.ts';
import { UsageError } from './usage-error.ts';

/** What the arguments after the command's name say. */
export interface Parsed {
  readonly parameters: readonly string[];
  readonly options: OptionValues;
}

/** Every option of a command. */
export function optionsOf(command: Command): readonly Option[] {
  return [...command.options, json, help];
}

/** Reads the arguments of a command. Throws a `UsageError` that says what is wrong with the first wrong one. */
export function parse(command: Command, argv: readonly string[], env: Environment): Parsed {
  const options = optionsOf(command);
  const all = tokensOf(argv, options);
  const end = command.passesOn && all.find(({ kind }) => kind === 'positional')?.index;
  const tokens = end === undefined ? all : all.filter(({ index }) => index <= end);
  const given = new Map<string, string[]>();
  const parameters: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') parameters.push(token.value);
    if (token.kind !== 'option') continue;
    const { option, value } = readOption(token, options);
    const earlier = given.get(option.name);
    if (earlier !== undefined && option.value !== undefined && option.repeat !== true)
      throw new UsageError(`--${option.name} is given twice`);
    given.set(option.name, [...(earlier ?? []), value]);
  }
  // A `--` may stand before another program's command line, and is none of its arguments.
  if (end !== undefined) parameters.push(...argv.slice(argv[end + 1] === '--' ? end + 2 : end + 1));
  const values = valuesOf(given, env);
  if (!values.flag(help)) countParameters(command, parameters);
  return { parameters, options: values };
}

function tokensOf(argv: readonly string[], options: readonly Option[]) {
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries([
      ...options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
      ['h', { type: 'boolean', short: 'h' }],
    ]),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function readOption(token: OptionToken, options: readonly Option[]): { option: Option; value: string } {
  const { rawName, value } = token;
  const option = rawName === '-h' ? help : options.find(({ name }) => `--${name}` === rawName);
  if (option === undefined) {
    const meant = didYouMean(
      rawName,
      options.map(({ name }) => `--${name}`),
    );
    throw new UsageError(`there is no option ${rawName}`, meant);
  }
  if (option.value === undefined && value !== undefined) throw new UsageError(`${rawName} takes no value`);
  if (option.value !== undefined && !value)
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
  return { option, value: value ?? '' };
}

function countParameters(command: Command, given: readonly string[]): void {
  const missing = command.parameters.find(
    ({ presence }, index) => (presence ?? 'repeated') === 'repeated' && given[index] === undefined,
  );
  if (missing !== undefined) throw new UsageError(`${missing.name} is missing (${missing.about})`);
  const empty = command.parameters.find((_, index) => given[index] === '');
  if (empty !== undefined) throw new UsageError(`${empty.name} is empty`);
  const repeated = command.parameters.some(({ presence }) => presence === 'repeated' || presence === 'rest');
  const extra = repeated ? undefined : given[command.parameters.length];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many`);
}

function valuesOf(given: ReadonlyMap<string, readonly string[]>, env: Environment): OptionValues {
  const fromEnvironment = ({ variable }: Option) =>
    (variable === undefined ? undefined : env[variable]) || undefined;
  return {
    flag: ({ name }) => given.has(name),
    text: (option) => given.get(option.name)?.[0] ?? fromEnvironment(option) ?? option.fallback,
    list: ({ name }) => given.get(name) ?? [],
    source: (option) =>
      !given.has(option.name) && fromEnvironment(option) !== undefined
        ? `${option.variable}`
        : `--${option.name}`,
  };
}
