import type { Path } from '../schema/schema.ts';

/** A place in a text, line and column counted from 1 (columns in UTF-16 units, as editors do). */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Where a text stops being JSON (RFC 8259) and what should have stood there. */
export interface JsonSyntaxProblem extends TextPlace {
  readonly expected: string;
}

/**
 * Finds the first syntax error of a JSON text; undefined when the text is JSON. `JSON.parse` is quicker but its
 * message differs between engines and names no line: this is for the text it has refused.
 */
export function findSyntaxProblem(text: string): JsonSyntaxProblem | undefined {
  try {
    scan(text, () => {});
    return undefined;
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error;
    return { ...placeOf(text, error.offset), expected: error.expected };
  }
}

/** Where the value at `path` begins, or the nearest value around it that exists. The text must be JSON. */
export function findPlace(text: string, path: Path): TextPlace {
  let nearest = 0;
  const visit: Visit = (at, offset) => {
    // The last match counts: what is nearer comes later, and of a name given twice JSON.parse takes the last.
    if (at.length <= path.length && at.every((step, index) => step === path[index])) nearest = offset;
  };
  try {
    scan(text, visit);
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error; // Nested too deeply to look on: the place found so far.
  }
  return placeOf(text, nearest);
}

class Unexpected extends Error {
  constructor(
    readonly offset: number,
    readonly expected: string,
  ) {
    super(expected);
  }
}

/** Deeper nesting is refused, as in Go's encoding/json, so that no text can exhaust the stack. */
const deepest = 1000;

/** Called with every value's path and offset (of a member: of its name). */
type Visit = (path: Path, offset: number) => void;

function scan(text: string, visit: Visit): void {
  const path: (string | number)[] = [];
  const end = scanValue(text, skipSpace(text, 0), path, visit);
  const rest = skipSpace(text, end);
  if (rest < text.length) throw new Unexpected(rest, 'the end of the text');
}

function scanValue(text: string, at: number, path: (string | number)[], visit: Visit, name?: number): number {
  visit(path, name ?? at);
  if (path.length > deepest) throw new Unexpected(at, `at most ${deepest} levels of nesting`);
  const first = text[at];
  if (first === '{') return scanObject(text, at, path, visit);
  if (first === '[') return scanArray(text, at, path, visit);
  if (first === '"') return scanString(text, at);
  scalar.lastIndex = at;
  if (!scalar.test(text)) throw new Unexpected(at, 'a value');
  return scalar.lastIndex;
}

const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

function scanObject(text: string, open: number, path: (string | number)[], visit: Visit): number {
  let at = skipSpace(text, open + 1);
  if (text[at] === '}') return at + 1;
  for (;;) {
    if (text[at] !== '"') throw new Unexpected(at, 'a member name in double quotes');
    const nameEnd = scanString(text, at);
    const colon = skipSpace(text, nameEnd);
    if (text[colon] !== ':') throw new Unexpected(colon, "':' after the member name");
    path.push(String(JSON.parse(text.slice(at, nameEnd))));
    at = skipSpace(text, scanValue(text, skipSpace(text, colon + 1), path, visit, at));
    path.pop();
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') throw new Unexpected(at, "',' or '}'");
    at = skipSpace(text, at + 1);
  }
}

function scanArray(text: string, open: number, path: (string | number)[], visit: Visit): number {
  let at = skipSpace(text, open + 1);
  if (text[at] === ']') return at + 1;
  for (let index = 0; ; index++) {
    path.push(index);
    at = skipSpace(text, scanValue(text, at, path, visit));
    path.pop();
    if (text[at] === ']') return at + 1;
    if (text[at] !== ',') throw new Unexpected(at, "',' or ']'");
    at = skipSpace(text, at + 1);
  }
}

function scanString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return at + 1;
    if (char === '\\') {
      escapeSequence.lastIndex = at;
      if (!escapeSequence.test(text)) throw new Unexpected(at, 'an escape that JSON knows');
      at = escapeSequence.lastIndex - 1;
    } else if (text.charCodeAt(at) < 0x20) {
      throw new Unexpected(at, 'the closing double quote (control characters must be escaped)');
    }
  }
  throw new Unexpected(text.length, 'the closing double quote');
}

const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return at;
}

function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
