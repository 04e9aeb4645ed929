/** The kernel's own headers (package linux-libc-dev), read for their numbers: #define and enum. */
import { existsSync, readFileSync } from 'node:fs';

const directories = [
  '/usr/include',
  `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
];

/** The numbers that headers give names to. Names whose values are no numbers (types, strings, functions) are left out. */
export function readHeaders(paths: readonly string[]): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const path of paths) {
    const found = directories.map((directory) => `${directory}/${path}`).find((each) => existsSync(each));
    if (found === undefined) throw new Error(`no header ${path} in ${directories.join(', ')}`);
    // Continued lines joined; comments are no part of values.
    const text = readFileSync(found, 'utf8')
      .replaceAll(/\\\n/g, ' ')
      .replaceAll(/\/\*[\s\S]*?\*\//g, ' ');
    readDefines(text, known);
    readEnums(text, known);
    // Some defines stand for enumerators, and the other way round.
    readDefines(text, known);
  }
  return known;
}

function readDefines(text: string, known: Map<string, number>): void {
  for (const [, name = '', value = ''] of text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(.+)$/gm)) {
    const number = evaluate(value, known);
    if (number !== undefined && !known.has(name)) known.set(name, number);
  }
}

function readEnums(text: string, known: Map<string, number>): void {
  for (const [, body = ''] of text.matchAll(/\benum\b[^{;()]*\{([^}]*)\}/g)) {
    let next: number | undefined = 0;
    const enumerators = body.replaceAll(/^[ \t]*#.*$/gm, '').split(',');
    for (const enumerator of enumerators.map((each) => each.trim()).filter((each) => each !== '')) {
      const [name = '', value] = enumerator.split(/=(.*)/s).map((each) => each.trim());
      next = value === undefined || value === '' ? next : evaluate(value, known);
      if (next === undefined) break;
      known.set(name, next);
      next += 1;
    }
  }
}

/** A C expression of numbers, known names and the operators that headers use; undefined for anything else. */
function evaluate(expression: string, known: ReadonlyMap<string, number>): number | undefined {
  const tokens = expression.match(/0[xX][0-9a-fA-F]+|\d+|\w+|<<|[|&~+\-()]|\S/g) ?? [];
  let at = 0;
  const take = (token: string) => tokens[at] === token && ++at > 0;

  const primary = (): number | undefined => {
    if (take('(')) {
      const inner = sum();
      return take(')') ? inner : undefined;
    }
    if (take('~')) return map(primary(), (value) => ~value);
    if (take('-')) return map(primary(), (value) => -value);
    const token = tokens[at++];
    if (token === undefined) return undefined;
    if (!/^\d/.test(token)) return known.get(token);
    // A suffix (U, L) is a token of its own.
    if (/^[uUlL]+$/.test(tokens[at] ?? '')) at++;
    return /^0[0-7]+$/.test(token) ? Number.parseInt(token, 8) : Number(token);
  };
  const binary = (left: number, operator: string, right: number): number => {
    if (operator === '<<') return left * 2 ** right;
    if (operator === '+') return left + right;
    if (operator === '-') return left - right;
    return operator === '|' ? (left | right) >>> 0 : (left & right) >>> 0;
  };
  const sum = (): number | undefined => {
    let value = primary();
    for (let operator = tokens[at]; /^(<<|[|&+-])$/.test(operator ?? ''); operator = tokens[at]) {
      at++;
      const right = primary();
      if (value === undefined || right === undefined) return undefined;
      value = binary(value, operator ?? '', right);
    }
    return value;
  };
  const value = sum();
  return at === tokens.length ? value : undefined;
}

function map(value: number | undefined, change: (value: number) => number): number | undefined {
  return value === undefined ? undefined : change(value);
}
