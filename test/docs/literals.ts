/** The texts in a source file: enough of TypeScript's grammar to find the messages of errors in this project's code. */

/** A text in the code. */
export interface Literal {
  /** Its fixed parts; between them stands what is computed. */
  readonly parts: readonly string[];
  /** The function or class that it is an argument of: `CniError`, `report`; empty if of none. */
  readonly callee: string;
  /** The place of that call in the file: its texts have the same. */
  readonly call: number;
}

/** After these a slash begins a regular expression. */
const beforeRegExp = new Set('(=,:[!&|?{};+');

/** Every text of the file, in order; texts inside of computed parts are left out. */
export function literalsOf(source: string): readonly Literal[] {
  const literals: Literal[] = [];
  const calls: { callee: string; call: number }[] = [];
  let previous = '(';
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? '';
    if (/\s/.test(char)) continue;
    const end = endOfToken(source, at, previous);
    if (char === '(') calls.push({ callee: /([\w.]+)\s*$/.exec(source.slice(0, at))?.[1] ?? '', call: at });
    else if (char === ')') calls.pop();
    else if (`'"\``.includes(char)) {
      literals.push({
        parts: partsOf(source.slice(at + 1, end), char),
        callee: '',
        call: -1,
        ...calls.at(-1),
      });
    }
    if (!isComment(source, at)) previous = char;
    at = end;
  }
  return literals;
}

function isComment(source: string, at: number): boolean {
  return source.startsWith('//', at) || source.startsWith('/*', at);
}

/** Where the comment, text or regular expression that begins here ends; `at` itself if none does. */
function endOfToken(source: string, at: number, previous: string): number {
  const char = source[at] ?? '';
  if (source.startsWith('//', at)) return source.indexOf('\n', at);
  if (source.startsWith('/*', at)) return source.indexOf('*/', at) + 1;
  if (`'"\``.includes(char)) return endOfText(source, at, char);
  return char === '/' && beforeRegExp.has(previous) ? endOfRegExp(source, at) : at;
}

function endOfText(source: string, start: number, quote: string): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === quote) return at;
    else if (quote === '`' && source.startsWith('${', at)) at = endOfComputed(source, at + 2);
  }
  throw new Error('a text without end');
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    else if (source[at] === '/' && !inClass) return at;
  }
  throw new Error('a regular expression without end');
}

/** The brace that closes a computed part. */
function endOfComputed(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    const char = source[at] ?? '';
    if (`'"\``.includes(char)) at = endOfText(source, at, char);
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
  }
  throw new Error('a computed part without end');
}

function partsOf(body: string, quote: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = body.indexOf('${'); quote === '`' && at >= 0; at = body.indexOf('${', start)) {
    parts.push(body.slice(start, at));
    start = endOfComputed(body, at + 2) + 1;
  }
  return [...parts, body.slice(start)].map((part) => part.replaceAll(/\\(.)/g, '$1'));
}
