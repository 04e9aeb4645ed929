/** The documentation's pages, taken apart. */
import { readFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';

/** A fenced block. */
export interface Block {
  /** What stands after the fence: `json`, `json wrong`, `sh arguments`. */
  readonly label: string;
  readonly text: string;
  /** The line of its fence, from 1. */
  readonly line: number;
}

/** A row of a table, its cells as they are written, by the heading of their column. */
export type Row = Readonly<Record<string, string>>;

/** The text of a page, by its path from the repository's root. */
export function pageText(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8');
}

/** Every fenced block, in order. */
export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: label = '', 2: body = '' }) => ({
    label,
    text: body,
    line: text.slice(0, index).split('\n').length,
  }));
}

/** A text without its fenced blocks. */
export function withoutBlocks(text: string): string {
  return text.replaceAll(/^```.*\n[\s\S]*?^```$/gm, '');
}

/** The rows of every table whose first column has this heading. */
export function tableRows(text: string, firstHeading: string): readonly Row[] {
  const tables = withoutBlocks(text).matchAll(/^\|.*\|\n\|[ |:-]+\|\n(?:\|.*\|\n?)*/gm);
  return [...tables].flatMap(([table]) => {
    const [headings = [], , ...rows] = table.trim().split('\n').map(cellsOf);
    if (headings[0] !== firstHeading) return [];
    return rows.map((cells) => Object.fromEntries(headings.map((name, at) => [name, cells[at] ?? ''])));
  });
}

function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim());
}

/** What is written in a code span that is a whole cell; undefined where the cell is something else. */
export function codeIn(cell: string): string | undefined {
  return /^`([^`]*)`$/.exec(cell)?.[1];
}

/** Where links of a page lead to, as they are written. */
export function linksOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    let name = anchor;
    for (let twin = 1; anchors.has(name); twin++) name = `${anchor}-${twin}`;
    anchors.add(name);
  }
  return anchors;
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');
}
