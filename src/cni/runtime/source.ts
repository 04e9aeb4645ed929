import { readFileSync } from 'node:fs';
import { type CniError, type ErrorCodeName, messageOf } from '../error.ts';
import { oneError } from '../problems.ts';
import { describeProblem } from '../schema/index.ts';
import { findPlace, findSyntaxProblem, type TextPlace } from './json-text.ts';
import type { ConfigurationProblem } from './parse.ts';

/** Something wrong in a configuration: where, what, and the code of the error it leads to. */
export interface LoadProblem extends Partial<TextPlace> {
  /** The file; undefined for a configuration that came as bytes. */
  readonly file: string | undefined;
  readonly code: ErrorCodeName;
  readonly message: string;
}

/** A configuration as it was written. */
export interface Source {
  readonly file: string | undefined;
  readonly bytes: Uint8Array;
}

/** Reads a file, or reports why it cannot be read. */
export function readSource(file: string, report: LoadProblem[]): Source | undefined {
  try {
    return { file, bytes: readFileSync(file) };
  } catch (error) {
    report.push({ file, code: 'ioFailure', message: `cannot be read: ${messageOf(error)}` });
    return undefined;
  }
}

/** Parses a source as JSON and gives the value to `parse`; what either finds is reported with its line. */
export function parseSource<T>(
  { file, bytes }: Source,
  parse: (json: unknown, problems: ConfigurationProblem[]) => T | undefined,
  report: LoadProblem[],
): T | undefined {
  // A byte order mark is left in, and is an error then: libcni and containerd do not read such a file.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const at = findSyntaxProblem(text);
    const message = at === undefined ? messageOf(error) : `is not JSON: here should be ${at.expected}`;
    report.push({ file, line: at?.line ?? 1, column: at?.column ?? 1, code: 'decodingFailure', message });
    return undefined;
  }
  const problems: ConfigurationProblem[] = [];
  const value = parse(json, problems);
  for (const problem of problems) {
    report.push({
      file,
      ...findPlace(text, problem.path),
      code: problem.code,
      message: describeProblem(problem),
    });
  }
  return value;
}

/** A problem in one line as compilers write them: `/etc/cni/net.d/10-a.conflist:4:7: …`. */
export function formatLoadProblem({ file = 'configuration', line, column, message }: LoadProblem): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** One error of all problems: the first is its message and gives the code, the others are its details. */
export function loadError(problems: readonly LoadProblem[]): CniError {
  return oneError(problems[0]?.code ?? 'internal', problems, formatLoadProblem);
}
