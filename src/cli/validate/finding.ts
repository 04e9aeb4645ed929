import type { TextPlace } from '../../cni/runtime/json-text.ts';
import { findPlace } from '../../cni/runtime/json-text.ts';
import type { Path } from '../../cni/schema/index.ts';

/** Something that `validate` found in a file. */
export interface Finding {
  readonly file: string;
  /** Undefined where it is about the whole file. */
  readonly line?: number;
  readonly column?: number;
  /** A hint is probably a mistake; the network works all the same. */
  readonly severity: 'error' | 'hint';
  readonly message: string;
}

/** A configuration file that is JSON. */
export interface Document {
  readonly file: string;
  readonly text: string;
}

/** A finding at a value of a document. */
export function findingAt(
  { file, text }: Document,
  path: Path,
  severity: Finding['severity'],
  message: string,
): Finding {
  const { line, column }: TextPlace = findPlace(text, path);
  return { file, line, column, severity, message };
}

/** Sorted by file and place, each once; at one place an error about a value's form comes before what follows from it. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const unique = new Map(findings.map((finding) => [formatFinding(finding), finding]));
  const at = ({ line = 0, column = 0 }: Finding) => line * 100_000 + column;
  return [...unique.values()].sort((a, b) => compare(a.file, b.file) || at(a) - at(b));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** As compilers write it, so that editors can jump to it: `10-pods.conflist:4:7: error: …`. */
export function formatFinding({ file, line, column, severity, message }: Finding): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return `${place}: ${severity}: ${message}`;
}
