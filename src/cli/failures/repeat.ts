/** Doing a call again that failed: by this program, and as lines for a shell. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { splitPath } from '../../cni/environment.ts';
import { findExecutable } from '../../cni/executable.ts';
import { CniError, type Environment, errorCodes } from '../../cni/index.ts';
import { isJsonObject, member } from '../../cni/json.ts';
import { createNetns, removeNetns } from '../../kernel/netns/netns.ts';
import { tracer } from '../../lib/trace.ts';
import { errorOf, type KeptFailure } from '../../plugin/failures/failure.ts';

/** How the call ended this time. */
export interface Repeated {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It was an ADD into a new namespace: how the DEL ended that took it back. */
  readonly takenBack?: Repeated;
}

/** The file that was called, unless it is known only as the executable behind all names. Throws a `CniError` where there is none any more. */
function executableOf({ plugin, executable, env }: KeptFailure): string {
  if (basename(executable) === plugin && existsSync(executable)) return executable;
  return findExecutable(plugin, splitPath(env.CNI_PATH ?? ''));
}

/**
 * A new namespace's file for an ADD whose own is gone, as it is where a runtime gave up: under the same name where `ip netns`
 * keeps them. None for an ADD that failed because it had no namespace.
 */
export function newNamespaceFor(failure: KeptFailure): string | undefined {
  const { CNI_COMMAND, CNI_NETNS: netns = '' } = failure.env;
  const isAboutIt = errorOf(failure).code === errorCodes.invalidNetns;
  if (CNI_COMMAND !== 'ADD' || netns === '' || isAboutIt || existsSync(netns)) return undefined;
  const [, name = `failure-${failure.id}`] = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(netns) ?? [];
  return `/run/netns/${name}`;
}

/** Where a call is repeated, and in what it is not quite the same then. */
export function aboutNewNamespace({ env, stdin }: KeptFailure): string {
  const isChained = hasPreviousResult(stdin) ? '; what the plugins before it made is not in there' : '';
  return `in a namespace made for it, since ${env.CNI_NETNS} is gone${isChained}`;
}

function hasPreviousResult(stdin: string): boolean {
  try {
    const config: unknown = JSON.parse(stdin);
    return isJsonObject(config) && member(config, 'prevResult') !== undefined;
  } catch {
    return false;
  }
}

/**
 * Runs the call again; an ADD whose namespace is gone in a new one, from which it is taken back. Throws a `CniError` where
 * that cannot be: the plugin is gone, not all of its configuration was kept.
 */
export async function repeat(failure: KeptFailure, env: Environment, signal: AbortSignal): Promise<Repeated> {
  if (failure.truncated)
    throw new CniError('invalidEnvironment', `not all of failure ${failure.id}'s configuration was kept`);
  const executable = executableOf(failure);
  const namespace = newNamespaceFor(failure);
  if (namespace === undefined) return spawned(executable, failure, env, signal);
  createNetns(namespace);
  const inNew = (command: string) => ({
    ...failure,
    env: { ...failure.env, CNI_NETNS: namespace, CNI_COMMAND: command },
  });
  try {
    const ended = await spawned(executable, inNew('ADD'), env, signal);
    // Also after a failure: SPEC.md section 2, ADD.
    return { ...ended, takenBack: await spawned(executable, inNew('DEL'), env) };
  } finally {
    removeNetns(namespace);
  }
}

function spawned(
  executable: string,
  failure: KeptFailure,
  env: Environment,
  signal?: AbortSignal,
): Promise<Repeated> {
  const { PATH, FAIRLEAD_TRACE } = env;
  const more = { ...(PATH && { PATH }), ...(FAIRLEAD_TRACE && { FAIRLEAD_TRACE }) };
  const run = () => spawn(executable, failure, more, signal);
  const text = `${failure.env.CNI_COMMAND} by plugin ${failure.plugin}`;
  return tracer === undefined ? run() : tracer.span({ kind: 'call', text }, run);
}

async function spawn(
  path: string,
  { stdin, env }: KeptFailure,
  more: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Repeated> {
  const child = Bun.spawn([path], {
    env: { ...more, ...env },
    stdin: Buffer.from(stdin),
    stdout: 'pipe',
    stderr: 'pipe',
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** The call as lines for a POSIX shell, as root: one, or with a namespace made for it three. */
export function shellCommand(failure: KeptFailure): string {
  const { plugin, executable, stdin } = failure;
  const path = basename(executable) === plugin ? executable : plugin;
  const namespace = newNamespaceFor(failure);
  const env = { ...failure.env, ...(namespace !== undefined && { CNI_NETNS: namespace }) };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
  const call = `printf %s ${quoted(stdin)} | env ${variables.join(' ')} ${quoted(path)}`;
  if (namespace === undefined) return call;
  // Not `ip netns add`: the first one on a node mounts /run/netns over itself, and what was in it cannot be removed any more.
  const file = quoted(namespace);
  return `mkdir -p /run/netns && touch ${file} && unshare --net=${file} true
${call}
umount ${file} && rm ${file}`;
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
