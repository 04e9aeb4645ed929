/** Running the command line inside a test, with nothing of the process it runs in. */
import { runCli } from './main.ts';

/** How a run ended. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test may set of the process. */
export interface TestProcess {
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly executablePath?: string;
  readonly isRoot?: boolean;
}

/** Runs `fairlead ARGUMENTS`. */
export async function cli(argv: readonly string[], testProcess: TestProcess = {}): Promise<Ran> {
  const { env = {}, terminal = false, executablePath, isRoot = true } = testProcess;
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(argv, {
    env,
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: (text) => {
      stderr += text;
    },
    stdoutIsTerminal: terminal,
    stderrIsTerminal: terminal,
    isRoot,
    interrupted: () => new AbortController().signal,
    executablePath,
  });
  return { exitCode, stdout, stderr };
}
