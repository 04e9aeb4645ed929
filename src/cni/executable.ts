/** Finding and executing other plugins: SPEC.md section 4, "Delegated plugin execution procedure". */
import { CniError, decodeError, messageOf, toCniError } from './error.ts';
import type { Environment } from './host.ts';
import { pluginTypeProblem } from './names.ts';

/** The most that a plugin may print, in bytes. */
const outputLimit = 4 * 1024 * 1024;

/** How often, and after how many milliseconds, an executable is tried again that is being replaced (ETXTBSY). */
const busyRetries = 20;
const busyPause = 50;

/** Loaded when it is called: a plugin's host may have a quicker way. */
function isFileByNode(path: string): boolean {
  return process.getBuiltinModule('node:fs').statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The path of the executable of this type in the first directory that has one. Throws a `CniError` if none has. */
export function findExecutable(
  type: string,
  directories: readonly string[],
  isFile: (path: string) => boolean = isFileByNode,
): string {
  const problem = pluginTypeProblem(type);
  if (problem !== undefined)
    throw new CniError('invalidConfig', `the plugin type ${JSON.stringify(type)} ${problem}`);
  for (const directory of directories) {
    const path = `${directory.replace(/\/+$/, '')}/${type}`;
    if (isThere(path, isFile)) return path;
  }
  const where = directories.length === 0 ? 'CNI_PATH names no directory' : `not in ${directories.join(', ')}`;
  throw new CniError('internal', `cannot find an executable for plugin type \`${type}\`: ${where}`);
}

/** What cannot be looked at, for whatever reason, is not there, as in libcni: a later directory may have it. */
function isThere(path: string, isFile: (path: string) => boolean): boolean {
  try {
    return isFile(path);
  } catch {
    return false;
  }
}

/** A plugin that ended without an answer of its own: what it did is unknown. */
export class NoAnswerError extends CniError {}

/** One execution of a plugin. */
export interface Execution {
  readonly path: string;
  /** The complete environment. */
  readonly env: Environment;
  /** The configuration. */
  readonly stdin: string;
  /** Gets what the plugin wrote on standard error when it succeeded. */
  writeStderr?(text: string): void;
  /** Ends the plugin with SIGKILL. */
  readonly signal?: AbortSignal;
}

/**
 * Executes a plugin and returns what it printed. Throws the `CniError` that it printed, or one that says how it
 * failed: not executable, ended by a signal, an exit code without an error object.
 */
export async function execute(execution: Execution): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    if (execution.signal?.aborted) throw stopped(execution);
    try {
      return judge(execution, await run(execution));
    } catch (error) {
      const busy = error instanceof Error && 'code' in error && error.code === 'ETXTBSY';
      if (busy && attempt < busyRetries) await new Promise((wake) => setTimeout(wake, busyPause));
      else if (error instanceof CniError) throw error;
      else if (execution.signal?.aborted) throw stopped(execution);
      else throw new CniError('internal', `cannot execute ${execution.path}: ${messageOf(error)}`);
    }
  }
}

function stopped({ path, signal }: Execution): NoAnswerError {
  return new NoAnswerError('internal', `${path} was stopped: ${messageOf(signal?.reason)}`);
}

interface Ending {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly endedBy: string | null;
}

async function run({ path, env, stdin, signal }: Execution): Promise<Ending> {
  // Loaded here: most plugins execute nothing, and their start must not pay for it.
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], {
      env: { ...env },
      stdio: 'pipe',
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    });
    const stop = () => {
      // The streams too: a child of the plugin that keeps writing would hold them open.
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const stdout = collect(child.stdout, stop);
    const stderr = collect(child.stderr, stop);
    child.on('error', reject);
    child.on('close', (exitCode, endedBy) => {
      try {
        resolve({ stdout: stdout(), stderr: stderr(), exitCode, endedBy });
      } catch (error) {
        reject(error);
      }
    });
    // A plugin may end without reading its input; that is seen in how it ends.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}

function collect(stream: NodeJS.ReadableStream, stop: () => void): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > outputLimit) stop();
    else chunks.push(chunk);
  });
  return () => {
    if (length > outputLimit)
      throw new NoAnswerError('decodingFailure', `a plugin printed more than ${outputLimit} bytes`);
    return Buffer.concat(chunks).toString();
  };
}

function judge({ path, writeStderr }: Execution, ending: Ending): string {
  const { stdout, stderr, exitCode, endedBy } = ending;
  if (exitCode === 0) {
    if (stderr !== '') writeStderr?.(stderr);
    return stdout;
  }
  const said = parseError(stdout);
  if (said !== undefined) throw said;
  const how = endedBy === null ? `failed with exit code ${exitCode}` : `was ended by ${endedBy}`;
  const printed = stdout.trim() === '' ? 'without saying why' : 'and printed no CNI error object';
  const output = [stdout, stderr].map((text) => text.trim().slice(0, 2000)).filter((text) => text !== '');
  throw new NoAnswerError('internal', `${path} ${how} ${printed}`, output.join('; '));
}

function parseError(stdout: string): CniError | undefined {
  try {
    return decodeError(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

/** What an ADD printed, as JSON. Throws a `NoAnswerError` if it is none. */
export function parseOutput(stdout: string): unknown {
  if (stdout.trim() === '') throw new NoAnswerError('decodingFailure', 'it succeeded, but printed no result');
  try {
    return JSON.parse(stdout);
  } catch (error) {
    const start = JSON.stringify(stdout.slice(0, 200));
    throw new NoAnswerError(
      'decodingFailure',
      `it printed a result that is no JSON: ${messageOf(error)}`,
      start,
    );
  }
}

/**
 * Whatever was thrown while a plugin was called, with its code kept: the plugin's type is in front of the message, unless
 * the message has it already.
 */
export function errorOfPlugin(type: string, thrown: unknown): CniError {
  const { code, msg, details } = toCniError(thrown);
  return new CniError(code, isNamed(type, msg) ? msg : `plugin \`${type}\`: ${msg}`, details);
}

function isNamed(type: string, msg: string): boolean {
  const names = [`plugin \`${type}\``, `plugin type \`${type}\``, `plugin type ${JSON.stringify(type)}`];
  return names.some((name) => msg.includes(name));
}
