/** Doing a call again that failed: by this program, and as a line for a shell. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { splitPath } from '../../cni/environment.ts';
import { findExecutable } from '../../cni/executable.ts';
import { CniError, type Environment } from '../../cni/index.ts';
import { tracer } from '../../lib/trace.ts';
import type { KeptFailure } from '../../plugin/failures/failure.ts';

/** How the call ended this time. */
export interface Repeated {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The file that was called, unless it is known only as the executable behind all names. Throws a `CniError` where there is none any more. */
function executableOf({ plugin, executable, env }: KeptFailure): string {
  if (basename(executable) === plugin && existsSync(executable)) return executable;
  return findExecutable(plugin, splitPath(env.CNI_PATH ?? ''));
}

/** Runs the call again. Throws a `CniError` where that cannot be: the plugin is gone, not all of its configuration was kept. */
export async function repeat(failure: KeptFailure, env: Environment): Promise<Repeated> {
  if (failure.truncated)
    throw new CniError('invalidEnvironment', `not all of failure ${failure.id}'s configuration was kept`);
  const { PATH, FAIRLEAD_TRACE } = env;
  const run = () =>
    spawn(executableOf(failure), failure, {
      ...(PATH && { PATH }),
      ...(FAIRLEAD_TRACE && { FAIRLEAD_TRACE }),
    });
  const text = `${failure.env.CNI_COMMAND} by plugin ${failure.plugin}`;
  return tracer === undefined ? run() : tracer.span({ kind: 'call', text }, run);
}

async function spawn(
  path: string,
  { stdin, env }: KeptFailure,
  more: Record<string, string>,
): Promise<Repeated> {
  const child = Bun.spawn([path], {
    env: { ...more, ...env },
    stdin: Buffer.from(stdin),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

/** The call as a line for a POSIX shell, as root. */
export function shellCommand({ plugin, executable, env, stdin }: KeptFailure): string {
  const path = basename(executable) === plugin ? executable : plugin;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
  return `printf %s ${quoted(stdin)} | env ${variables.join(' ')} ${quoted(path)}`;
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
