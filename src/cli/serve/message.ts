/**
 * What a plugin's process and `fairlead serve` say to each other, over a Unix socket: the server says first who it is,
 * then gets a question, and answers it. Each is a text that ends with a NUL; JSON has none inside.
 */
import { fileIdentity } from '../../kernel/sys/file.ts';

/** Where the socket is. Its directory is root's alone, and so is the socket: who may connect may do anything. */
export const serveDirectory = '/run/fairlead';
export const serveSocket = `${serveDirectory}/serve.sock`;

/** A call, as it came to the plugin's process. */
export interface Question {
  /** The plugin's type. */
  readonly plugin: string;
  /** The path it was executed by, for whoever repeats the call. */
  readonly executable: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
}

/** How the call ended; or that nothing was done, because only a process of its own can do it. */
export type Answer =
  | { readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | 'doItYourself';

/** The end of each. */
export const terminator = '\0';

/**
 * What must be the same in both processes for a call to come to the same: the executable, the network namespace,
 * and what paths mean.
 */
export function identity(): string {
  const files = ['/proc/self/exe', '/proc/self/ns/net', '/proc/self/ns/mnt', '/'];
  try {
    return files.map(fileIdentity).join(' ');
  } catch {
    // Without /proc nobody is known to be the same.
    return `process ${process.pid}`;
  }
}
