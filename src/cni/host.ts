/** What the harness needs of the process it runs in. It is injected, so that a plugin can be run anywhere. */
import type { Plugin } from './plugin.ts';
import type { Watch } from './watch.ts';

/** The most that is read from standard input, in bytes; the largest real configurations have a few kilobytes. */
export const stdinLimit = 4 * 1024 * 1024;

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Says whether the executable found for a plugin type is this very program, and gives the plugin then, so that it
 * is called in process instead of executed.
 */
export type Resolve = (type: string, executablePath: string) => (() => Plugin | Promise<Plugin>) | undefined;

/** The process a plugin runs in. */
export interface Host {
  readonly env: Environment;
  /** Whether a person at a terminal started the plugin, not a runtime. */
  stdinIsTerminal(): boolean;
  /** All of standard input as text. Throws a `CniError`: 5 if it cannot be read, 6 if it has more bytes than the limit. */
  readStdin(limitBytes: number): string;
  writeStdout(text: string): void;
  writeStderr(text: string): void;
  readonly resolve?: Resolve;
  /** Whether there is a plain file at a path: how executables are found. By node:fs if not given. */
  isFile?(path: string): boolean;
  /** Gets what the configuration has under the key `fairlead`, unchecked, before anything is done. */
  readonly configure?: (settings: unknown) => void | Promise<void>;
  /** Watches for mistakes of the plugin's author while a verb runs; not watched if not given. */
  readonly watch?: () => Watch;
}
