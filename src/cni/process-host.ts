/** The host that is this process, on whatever reads and writes its descriptors. */
import { bytesFromText, doubled, textFromBytes } from '../lib/bytes.ts';
import { CniError, messageOf } from './error.ts';
import type { Host } from './host.ts';

/** The few file operations that a host needs, as node:fs has them. */
export interface ProcessFiles {
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: null): number;
  writeSync(fd: number, bytes: Uint8Array): number;
  /** Whether there is a plain file at a path, links followed. */
  isFile(path: string): boolean;
}

/** This process as a plugin's host: its environment, standard input, output and error. */
export function processHost(
  files: ProcessFiles,
  options: Pick<Host, 'resolve' | 'watch' | 'configure'> = {},
): Host {
  return {
    ...options,
    env: process.env,
    // Only asked when no command is given; loading the stream behind `process.stdin` would cost every start.
    stdinIsTerminal: () => process.stdin.isTTY === true,
    readStdin: (limitBytes) => readAll(files, 0, limitBytes),
    writeStdout: (text) => writeAll(files, 1, text),
    writeStderr: (text) => writeAll(files, 2, text),
    isFile: (path) => files.isFile(path),
  };
}

/** Reads a descriptor to its end. Throws a `CniError`: 5 if it cannot be read, 6 if it has more bytes than the limit. */
export function readAll(files: ProcessFiles, fd: number, limitBytes: number): string {
  let buffer = new Uint8Array(16 * 1024);
  let length = 0;
  for (;;) {
    const count = readSome(files, fd, buffer, length);
    if (count === 0) return textFromBytes(buffer.subarray(0, length));
    length += count;
    if (length > limitBytes) {
      const limit = `${limitBytes / 1024 / 1024} MiB`;
      throw new CniError('decodingFailure', `the configuration on standard input is larger than ${limit}`);
    }
    if (length === buffer.length) buffer = doubled(buffer);
  }
}

function readSome(files: ProcessFiles, fd: number, buffer: Uint8Array, offset: number): number {
  for (;;) {
    try {
      return files.readSync(fd, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') {
        throw new CniError(
          'ioFailure',
          `cannot read the configuration from standard input: ${messageOf(error)}`,
        );
      }
      pause();
    }
  }
}

/** Writes all of a text; a reader that has gone away (EPIPE) is no error, since nobody is left to be told. */
export function writeAll(files: ProcessFiles, fd: number, text: string): void {
  let rest: Uint8Array = bytesFromText(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(files.writeSync(fd, rest));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Waits a moment where a descriptor that its owner made non-blocking is not ready. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}
