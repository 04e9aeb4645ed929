/** docs/interchange.md, whose table is written from the table that the tests run (exchanges.ts). */
import { readFileSync, writeFileSync } from 'node:fs';
import { isPluginName } from '../../src/plugins/names.ts';
import { type Exception, type Exchange, exchanges, type Step, steps } from './exchanges.ts';

/** The page. */
export const pageFile = new URL('../../docs/interchange.md', import.meta.url).pathname;

const [begin, end] = ['<!-- The table: npm run docs -->', '<!-- The table ends -->'];

/** The page as it should be: its own text, with the table of today. */
export function currentPage(): string {
  const text = readFileSync(pageFile, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`docs/interchange.md: no lines "${begin}" and "${end}"`);
  return `${before}${begin}\n\n${table()}\n\n${end}${after}`;
}

/** Writes it. */
export function writePage(): void {
  writeFileSync(pageFile, currentPage());
}

const names = Object.keys(steps) as readonly Step[];

function table(): string {
  const reasons: string[] = [];
  const known = exchanges.filter(({ plugins }) => plugins.every(({ type }) => isPluginName(type)));
  const rows = known.map((exchange) =>
    row([
      `\`${exchange.plugin}\``,
      exchange.what + (exchange.iptables ? ' ᵢ' : ''),
      ...names.map((step) => cell(exchange, step, reasons)),
    ]),
  );
  return [
    row(['plugin', 'configuration', ...names.map((step) => steps[step])]),
    row(['---', '---', ...names.map(() => ':---:')]),
    ...rows,
    '',
    ...reasons.map((why, index) => `${index + 1}. ${why}`),
  ].join('\n');
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** A tick, or the numbers of the reasons against it; each reason has one number. */
function cell({ exceptions = [] }: Exchange, step: Step, reasons: string[]): string {
  const against = exceptions.filter((exception: Exception) => exception.steps.includes(step));
  if (against.length === 0) return '✓';
  return against
    .map(({ why }) => {
      if (!reasons.includes(why)) reasons.push(why);
      return `(${reasons.indexOf(why) + 1})`;
    })
    .join(' ');
}
