/** Running a program to its end, from a test: outputs apart, bounded in time, and not blocking what else runs. */
import { limit } from './sandbox.ts';

/** How a program ended. */
export interface Ended {
  /** 128 + the number of the signal where one ended it, as a shell says it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface ProgramOptions {
  /** Its whole environment; the test's own if left out. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** Seconds after which it is killed and an error thrown; 30 if left out, times the kernel's slowness. */
  readonly timeoutSeconds?: number;
}

/** Runs a program. Its exit code is for the caller to judge. @throws Error when it takes too long or cannot be started */
export async function runProgram(argv: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { stdin = '', env, cwd, timeoutSeconds = 30 } = options;
  const child = Bun.spawn([...argv], {
    stdin: typeof stdin === 'string' ? Buffer.from(stdin) : stdin,
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: limit(timeoutSeconds),
    killSignal: 'SIGKILL',
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const start = performance.now();
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (child.signalCode === 'SIGKILL' && performance.now() - start >= limit(timeoutSeconds)) {
    throw new Error(`${argv.join(' ')}: not finished after ${timeoutSeconds} s\n${stdout}${stderr}`);
  }
  return { exitCode: await child.exited, stdout, stderr };
}

/** Runs a program that has to succeed and returns what it wrote on standard output. @throws Error with both outputs */
export async function output(argv: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(argv, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${argv.join(' ')}: exit code ${exitCode}\n${stderr}${stdout}`);
}
