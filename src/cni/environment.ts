/** The parameters that come in environment variables: SPEC.md section 2, "Parameters". */
import { CniError } from './error.ts';
import type { Environment } from './host.ts';
import { identifierProblem, interfaceNameProblem, namespacePathProblem } from './names.ts';
import { quote } from './schema/schema.ts';
import { type CniCommand, cniCommands, isCniCommand } from './version.ts';

/** The variables, checked; a text is empty where the operation does not need it and it is not set. */
export interface Parameters {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  /** `CNI_NETNS_OVERRIDE`, of the reference library (pkg/skel): the namespace may be the plugin's own. */
  readonly netnsOverride: boolean;
  /** `CNI_ARGS` as keys and values. */
  readonly args: ReadonlyMap<string, string>;
  /** The directories of `CNI_PATH`. */
  readonly pluginPath: readonly string[];
}

type Variable = 'CNI_CONTAINERID' | 'CNI_NETNS' | 'CNI_IFNAME' | 'CNI_PATH';

const required: Readonly<Record<CniCommand, readonly Variable[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  GC: ['CNI_PATH'],
  STATUS: [],
  VERSION: [],
};

/** The operation that is asked for. Throws a `CniError` (4) if it is none. */
export function readCommand(env: Environment): CniCommand {
  const command = env.CNI_COMMAND ?? '';
  if (isCniCommand(command)) return command;
  const fault = command === '' ? 'is not set' : `is ${quote(command)}`;
  throw new CniError(
    'invalidEnvironment',
    `the environment variable CNI_COMMAND ${fault}: it must be one of ${cniCommands.join(', ')}`,
  );
}

/**
 * The parameters of an operation. Throws a `CniError` (4) that names every variable that is missing or wrong. DEL, which
 * also follows an ADD that was refused, does without a namespace or an argument that is wrong.
 */
export function readParameters(command: CniCommand, env: Environment): Parameters {
  const faults: string[] = [];
  const missing = required[command].filter((name) => !env[name]);
  if (missing.length > 0) faults.push(`${command} needs ${missing.join(', ')}, not set`);
  const check = (name: Variable, problemOf: (text: string) => string | undefined): string => {
    const text = isAboutAttachment(command) ? (env[name] ?? '') : '';
    const problem = text === '' ? undefined : problemOf(text);
    if (problem !== undefined) faults.push(`${name} ${problem}`);
    return text;
  };
  const containerId = check('CNI_CONTAINERID', identifierProblem);
  const ifname = check('CNI_IFNAME', interfaceNameProblem);
  const isDel = command === 'DEL';
  const isUsable = !isDel || namespacePathProblem(env.CNI_NETNS ?? '') === undefined;
  const netns = isUsable ? check('CNI_NETNS', namespacePathProblem) : '';
  const args = parseArgs(env.CNI_ARGS ?? '', isDel ? [] : faults);
  if (faults.length > 0)
    throw new CniError('invalidEnvironment', `environment variables: ${faults.join('; ')}`);
  const netnsOverride = /^(?:true|1)$/i.test(env.CNI_NETNS_OVERRIDE ?? '');
  return { containerId, netns, ifname, netnsOverride, args, pluginPath: splitPath(env.CNI_PATH ?? '') };
}

/** Whether an operation is about one attachment, and not about the plugin or a whole network. */
export function isAboutAttachment(command: CniCommand): boolean {
  return required[command].includes('CNI_CONTAINERID');
}

/**
 * `K=V;K=V` as keys and values; what is wrong is added to the faults. A value may hold further `=`. Every plugin of a
 * chain gets the same arguments, so one that a plugin does not know is no error, with or without `IgnoreUnknown=1`.
 */
function parseArgs(text: string, faults: string[]): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const pair of text.split(';')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals > 0) args.set(pair.slice(0, equals), pair.slice(equals + 1));
    else
      faults.push(`CNI_ARGS must be KEY=VALUE pairs joined by ";", got ${JSON.stringify(pair.slice(0, 80))}`);
  }
  return args;
}

/** The directories of a path list. Relative ones are left out: nothing is looked up in the working directory. */
export function splitPath(list: string): readonly string[] {
  return list.split(':').filter((directory) => directory.startsWith('/'));
}
