import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** A cell: a text, several below one another, or one with its own style. */
export type Cell =
  | string
  | readonly string[]
  | { readonly text: string; readonly style: (text: string) => string };

/** Lines of aligned columns below their headings; empty if there are no rows. Nothing stands after the last column. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[], style: Style): string {
  if (rows.length === 0) return '';
  const lines = rows.flatMap(linesOf);
  const head = headings.map((heading): Line[number] => [heading, style.bold]);
  const widths = headings.map((_, column) =>
    Math.max(...[head, ...lines].map((line) => line[column]?.[0].length ?? 0)),
  );
  return [head, ...lines].map((line) => render(line, widths)).join('');
}

/** One name and what it means a line, indented: options, exit codes. */
export function definitions(pairs: readonly (readonly [name: string, about: string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`.trimEnd().concat('\n')).join('');
}

type Line = readonly (readonly [text: string, style: (text: string) => string])[];

const unstyled = (text: string) => text;

function linesOf(row: readonly Cell[]): Line[] {
  const columns = row.map(textsOf);
  const height = Math.max(1, ...columns.map((texts) => texts.length));
  return Array.from({ length: height }, (_, index) => columns.map((texts) => texts[index] ?? ['', unstyled]));
}

function textsOf(cell: Cell): Line {
  if (typeof cell === 'string') return [[printable(cell), unstyled]];
  return 'style' in cell
    ? [[printable(cell.text), cell.style]]
    : cell.map((text) => [printable(text), unstyled]);
}

/** Padded by the text's own width: the codes of colours take no room. */
function render(line: Line, widths: readonly number[]): string {
  const last = line.findLastIndex(([text]) => text !== '');
  const cells = line
    .slice(0, last + 1)
    .map(([text, style], column) => style(text) + ' '.repeat((widths[column] ?? 0) - text.length));
  return `${cells.join('  ').trimEnd()}\n`;
}
