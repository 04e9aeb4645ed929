import type { Environment } from '../cni/index.ts';

/** What the command line needs of the process it runs in. It is injected: only src/bin prints or exits. */
export interface CliIo {
  readonly env: Environment;
  writeStdout(text: string): void;
  writeStderr(text: string): void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly isRoot: boolean;
  /** Aborted by Ctrl-C, which ends the process only from now on, a second time. */
  interrupted(): AbortSignal;
  /** The file that is `fairlead`; undefined where an interpreter runs it from its source. */
  readonly executablePath: string | undefined;
}
