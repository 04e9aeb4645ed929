/** The report: results.json for programs, README.md for people, results.svg for a glance. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { plot } from './plot.ts';
import { type Alone, type Comparison, type Growth, growthOf, type Results, type StartCost } from './rows.ts';

/** Writes the three files into a directory, and the table to standard error. */
export function writeReport(directory: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  const page = pageOf(results);
  writeFileSync(`${directory}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(`${directory}/README.md`, page);
  writeFileSync(`${directory}/results.svg`, plot(results));
  process.stderr.write(`\n${page}`);
}

function pageOf(results: Results): string {
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`: Fairlead beside the reference plugins, turn by turn in one run, whole processes as a',
    'runtime starts them, medians. Figures of other runs and machines differ; the ratios are what counts.',
    '',
    Object.entries(results.about)
      .map(([key, value]) => `${key}: ${value}`)
      .join(' · '),
    '',
    '![Fairlead’s times as parts of the reference’s](results.svg)',
    '',
    '## Beside the reference',
    '',
    ...table(
      ['', 'Fairlead', 'ratio', '`serve`', 'ratio', 'reference', 'goal', 'floor'],
      results.comparisons.map(comparisonCells),
    ),
    '',
    '`serve`: the same processes on a node where [`fairlead serve`](../serve.md) runs; the other figures are without it.',
    'The floor is what no program on this runtime gets below: its empty start (once a process) and the kernel’s own',
    'time for the links, addresses, routes and set elements. A DEL waits for the kernel to take the pair away.',
    '',
    '## Each plugin alone',
    '',
    `An empty program on this runtime takes ${number(results.floor[0]?.ms ?? Number.NaN)} ms: that is in every figure of Fairlead’s. “Beyond” is what is more:`,
    'the plugin’s own code, and the kernel’s work and waiting. “Computing” is the part of it in which the processor was not in the kernel;',
    'with `serve` it is all that the plugin’s process and the server computed.',
    'Plugins after others in a chain are timed without those; kinds of links that this kernel has not are left out.',
    '',
    ...table(
      [
        '',
        '',
        'Fairlead',
        'beyond',
        'computing',
        '`serve`',
        'computing',
        'goal',
        'reference',
        'ratio',
        '`serve`',
      ],
      results.alone.flatMap(aloneCells),
    ),
    '',
    '## Many plugins in one executable',
    '',
    'A start loads the plugin that is called, and no other: beside an executable of the same sources with the first plugins only.',
    '',
    ...table(
      ['', '', ...(results.starts[0]?.counts ?? []).map((count) => `${count} plugins`), 'ratio', 'goal'],
      results.starts.map(startCells),
    ),
    '',
    '## As a store grows',
    '',
    ...table(['', 'whose', '10 reservations', '40,000', 'ratio', 'goal'], results.growths.map(growthCells)),
    '',
    '## The floor',
    '',
    ...table(
      ['', 'ms'],
      results.floor.map(({ what, ms }) => [what, number(ms)]),
    ),
    '',
    `Peak memory of a Fairlead plugin process: ${results.memory.peak.toFixed(0)} MiB (goal: at most ${results.memory.goal}); of \`fairlead serve\`: ${results.memory.server.toFixed(0)} MiB.`,
    '',
  ].join('\n');
}

function comparisonCells(row: Comparison): string[] {
  const { what, unit, fairlead, served, reference, goal, floor } = row;
  const ratio = (own: number) => `${number(own / reference)}${markOf(own / reference, goal)}`;
  return [
    what,
    `${number(fairlead)} ${unit}`,
    ratio(fairlead),
    `${number(served)} ${unit}`,
    ratio(served),
    `${number(reference)} ${unit}`,
    goal === undefined ? '' : `≤ ${goal}`,
    floor === undefined ? '' : `${number(floor)} ${unit}`,
  ];
}

function aloneCells({ plugin, calls, goal }: Alone): string[][] {
  return calls.map(({ verb, fairlead, reference, beyondStart, computing, served }) => [
    `\`${plugin}\``,
    verb,
    `${number(fairlead)} ms`,
    `${number(beyondStart)} ms`,
    `${number(computing)} ms${markOf(computing, goal)}`,
    `${number(served.ms)} ms`,
    `${number(served.computing)} ms${markOf(served.computing, goal)}`,
    `≤ ${goal} ms`,
    reference === undefined ? '—' : `${number(reference)} ms`,
    reference === undefined ? '' : number(fairlead / reference),
    reference === undefined ? '' : number(served.ms / reference),
  ]);
}

function startCells({ what, unit, few, all, goal }: StartCost): string[] {
  const shown = (value: number) => (unit === 'ms' ? number(value) : value.toFixed(0));
  return [what, unit, shown(few), shown(all), number(all / few), goalText(all / few, goal)];
}

function growthCells(row: Growth): string[] {
  const { what, contender, small, large, goal } = row;
  return [
    what,
    contender,
    `${number(small)} ms`,
    `${number(large)} ms`,
    number(growthOf(row)),
    goalText(growthOf(row), goal),
  ];
}

function goalText(ratio: number, goal: number | undefined): string {
  if (goal === undefined) return '';
  return `≤ ${goal}${markOf(ratio, goal)}`;
}

function markOf(ratio: number, goal: number | undefined): string {
  if (goal === undefined) return '';
  return ratio <= goal ? ' ✓' : ' ✗ missed';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)];
}

/** Two significant digits below ten, whole numbers above a hundred. */
export function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
