/** A trace as people read it: when, how long, and a tree of what was done. */
import type { RequestEntry, TraceEntry } from '../../plugin/trace/entry.ts';
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import type { TraceNode } from './tree.ts';

/** Longer lines are cut; `--json` has them whole. */
const longest = 160;

/** Trees of a trace below one another. Times in milliseconds: since the first began, and how long it took. */
export function traceText(trees: readonly TraceNode[], style: Style): string {
  return trees.map((tree) => treeText(tree, style)).join('\n');
}

function treeText(tree: TraceNode, style: Style): string {
  const start = tree.entry.time;
  const lines: string[] = [headingOf(tree.entry, style)];
  const add = (node: TraceNode, first: string, others: string) => {
    const { entry, unfinished, parts } = node;
    const times = `${(entry.time - start).toFixed(2).padStart(9)} ${(entry.ms?.toFixed(2) ?? '').padStart(9)}  `;
    lines.push(`${style.dim(times)}${first}${headOf(node, style)}`);
    const details = detailsOf(entry).map((text) => style.dim(cut(text)));
    const below = [...details, ...parts];
    for (const [index, part] of below.entries()) {
      const isLast = index === below.length - 1 && !unfinished;
      const [branch, under] = isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
      if (typeof part === 'string') lines.push(`${' '.repeat(21)}${others}${branch}${part}`);
      else add(part, others + branch, others + under);
    }
    if (unfinished) lines.push(`${' '.repeat(21)}${others}└─ ${style.red('it did not end')}`);
  };
  add(tree, '', '');
  return `${lines.join('\n')}\n`;
}

/** When it began, for a comparison with logs; in UTC as they are. */
function headingOf({ time, pid }: TraceEntry, style: Style): string {
  const when = new Date(time).toISOString().replace('T', ' ').replace('Z', ' UTC');
  return style.bold(`${'AT ms'.padStart(9)} ${'TOOK ms'.padStart(9)}  ${when}, process ${pid}`);
}

function headOf({ entry }: TraceNode, style: Style): string {
  const { text, kind, netns, attachment, requests = [] } = entry;
  const [request] = requests;
  const message = requests.length === 1 && request !== undefined ? requestText(request) : '';
  const where = netns === undefined ? '' : ` in ${netns}`;
  const whose = attachment === undefined ? '' : `, ${attachmentText(attachment)}`;
  const head = kind === 'plugin' || kind === 'call' || kind === 'undo' ? style.bold(cut(text)) : cut(text);
  // What is called by another plugin without a process is about the same attachment.
  const isInProcess = kind === 'plugin' && entry.parent !== 0;
  const told = cut(
    `${where}${isInProcess ? ', in the same process' : whose}${message === '' ? '' : `  ${message}`}`,
  );
  return `${head}${style.dim(told)}${endOf(entry, style)}`;
}

/** A question to which the answer is no, or a file that is not there yet, is nothing to look into. */
function endOf({ text, kind, error, requests }: TraceEntry, style: Style): string {
  if (error === undefined) return '';
  const isQuestion = kind === 'file' || requests?.every(({ message }) => /_GET/.test(message));
  const told = cut(reason(error, text));
  return isQuestion ? style.dim(`  → ${told}`) : `  ${style.red(`✗ ${told}`)}`;
}

/** Errors say what was tried, which stands before it already. */
function reason(error: string, text: string): string {
  return error.startsWith(`${text}: `) ? error.slice(text.length + 2) : error;
}

function attachmentText({
  network = '',
  containerId = '',
  ifname = '',
}: Readonly<Record<string, string>>): string {
  return [`network ${network}`, containerId && `container ${containerId}`, ifname]
    .filter((part) => part)
    .join(', ');
}

function detailsOf({ requests = [], operations = [] }: TraceEntry): string[] {
  const many = requests.length > 1 ? requests.map((one) => `${one.operation}  ${requestText(one)}`) : [];
  return [...many, ...operations.map((text) => `nft ${text}`)];
}

function requestText({ message, values = {} }: RequestEntry): string {
  const told = Object.entries(values).map(([name, value]) => `${name}=${valueText(value)}`);
  return [message, ...told].join(' ');
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string): string {
  const line = printableLine(text);
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

/** `printable` takes spaces off, which separate here. */
function printableLine(text: string): string {
  const [, before = '', rest = ''] = /^( *)(.*)$/s.exec(text) ?? [];
  return before + printable(rest);
}
