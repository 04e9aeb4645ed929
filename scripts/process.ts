/** Running other programs from the project's own scripts. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { kill } from 'node:process';

/** The repository's root, without a slash at its end. */
export const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');

/** How a program ended. */
export interface Ended {
  /** Undefined where a signal ended it, which includes running out of time. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  /** What it wrote on both outputs, as it came. */
  readonly output: string;
  readonly seconds: number;
}

/** How to run a program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds after which it and everything in its process group is killed. */
  readonly timeoutSeconds?: number;
}

/** The programs that run: their process groups, and the directories that their output goes to. */
const running = new Map<number, string>();

/** The whole group: a test's servers would outlive it. */
function killGroup(pid: number): void {
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended meanwhile.
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const [pid, directory] of running) {
      killGroup(pid);
      rmSync(directory, { recursive: true, force: true });
    }
    process.exit(130);
  });
}

/**
 * Runs a program in the repository's root, without a terminal, and waits for its end. Its output goes through a file:
 * a daemon that it leaves behind would hold a pipe open for ever.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const start = performance.now();
  const directory = mkdtempSync(`${tmpdir()}/fairlead-run-`);
  const file = `${directory}/output`;
  const fd = openSync(file, 'a');
  const child = Bun.spawn([...argv], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...options.env },
    stdio: ['ignore', fd, fd],
    detached: true,
  });
  closeSync(fd);
  running.set(child.pid, directory);
  let timedOut = false;
  const outOfTime = () => {
    timedOut = true;
    killGroup(child.pid);
  };
  const timer =
    options.timeoutSeconds === undefined ? undefined : setTimeout(outOfTime, options.timeoutSeconds * 1000);
  await child.exited;
  clearTimeout(timer);
  killGroup(child.pid);
  running.delete(child.pid);
  const output = readFileSync(file, 'utf8');
  rmSync(directory, { recursive: true });
  return {
    exitCode: child.signalCode === null ? (child.exitCode ?? undefined) : undefined,
    timedOut,
    output,
    seconds: (performance.now() - start) / 1000,
  };
}
