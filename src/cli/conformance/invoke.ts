/** Executing the plugin under test: bounded in time and output, whatever it does. */
import { spawn } from 'node:child_process';
import { isJsonObject, type JsonObject } from '../../cni/json.ts';

/** One execution. */
export interface Invocation {
  readonly path: string;
  /** The complete environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly cwd: string;
  readonly timeoutMs: number;
}

/** How it ended. */
export interface Ended {
  /** Null where a signal ended it, or it could not be started. */
  readonly exitCode: number | null;
  /** The signal, or why it could not be started. */
  readonly endedBy?: string;
  /** It did not end in time, and was killed with everything that it started in its process group. */
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** The most that is kept of each output, in bytes; a plugin that writes more is killed. */
const outputLimit = 1024 * 1024;

/** Runs the plugin to its end. Never rejects. */
export function invoke({ path, env, stdin, cwd, timeoutMs }: Invocation): Promise<Ended> {
  return new Promise((resolve) => {
    // A process group of its own, so that what it starts can be killed with it.
    const child = spawn(path, [], { env, cwd, stdio: 'pipe', detached: true });
    let timedOut = false;
    const kill = () => {
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    const stdout = collect(child.stdout, kill);
    const stderr = collect(child.stderr, kill);
    const end = (exitCode: number | null, endedBy?: string) => {
      clearTimeout(timer);
      const ended = { exitCode, timedOut, stdout: stdout(), stderr: stderr() };
      resolve(endedBy === undefined ? ended : { ...ended, endedBy });
    };
    child.on('error', (error) => end(null, error.message));
    child.on('close', (exitCode, signal) => end(exitCode, signal ?? undefined));
    // A plugin may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function collect(stream: NodeJS.ReadableStream, stop: () => void): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > outputLimit) stop();
    else chunks.push(chunk);
  });
  stream.on('error', () => {});
  return () => Buffer.concat(chunks).toString();
}

/**
 * The JSON object that a plugin printed; where more than that is on standard output, which is a rule of its own, what
 * stands from the first brace to the last.
 */
export function printedObject(stdout: string): JsonObject | undefined {
  const whole = parse(stdout);
  if (whole !== undefined) return isJsonObject(whole) ? whole : undefined;
  const [from, to] = [stdout.indexOf('{'), stdout.lastIndexOf('}')];
  const part = from < 0 ? undefined : parse(stdout.slice(from, to + 1));
  return isJsonObject(part) ? part : undefined;
}

/** A text as JSON; undefined where it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
