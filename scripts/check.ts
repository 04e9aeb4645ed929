/** `npm run check`: format and lint, types, and the walls between folders. Warnings count as problems. */
import { relative } from 'node:path';
import { checkAllImports } from './imports.ts';
import { root, run } from './process.ts';

/** One part of the check: its name, and the problems it finds, a line each: `file:line: …`. */
export interface Check {
  readonly name: string;
  readonly problems: () => Promise<readonly string[]>;
}

/** Runs a tool and turns its lines into problems. A tool that fails without a line that is understood is one itself. */
async function tool(argv: readonly string[], toProblem: (line: string) => string | undefined) {
  const ended = await run(argv);
  const problems = ended.output.split('\n').flatMap((line) => toProblem(line) ?? []);
  if (ended.exitCode === 0 || problems.length > 0) return problems;
  return [`${argv.join(' ')}: exit code ${ended.exitCode}\n${ended.output.trimEnd()}`];
}

/** Biome's lines for GitHub: `::error title=RULE,file=PATH,line=N,…::MESSAGE`. */
function biomeProblem(line: string): string | undefined {
  const found = /^::(?:error|warning) (.*?)::(.*)$/.exec(line);
  if (found === null) return undefined;
  const [, properties = '', message = ''] = found;
  const value = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(properties)?.[1] ?? '';
  const file = relative(root, value('file'));
  return `${file}:${value('line')}: ${message.replaceAll('%0A', ' ')} (${value('title')})`;
}

/** tsc's lines: `PATH(LINE,COLUMN): error TSNNNN: MESSAGE`. */
function typeProblem(line: string): string | undefined {
  const found = /^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/.exec(line);
  if (found === null) return undefined;
  const [, file = '', number = '', code = '', message = ''] = found;
  return `${file}:${number}: ${message} (${code})`;
}

const biome = [
  'node_modules/.bin/biome',
  'check',
  '--reporter=github',
  '--diagnostic-level=warn',
  '--max-diagnostics=none',
  '--error-on-warnings',
  '.',
];

/** Every part, cheapest first. */
export const checks: readonly Check[] = [
  {
    name: 'import direction',
    problems: async () =>
      checkAllImports(root).map(({ file, line, message }) => `${file}:${line}: ${message}`),
  },
  { name: 'format and lint', problems: () => tool(biome, biomeProblem) },
  {
    name: 'types',
    problems: () => tool(['node_modules/.bin/tsc', '-p', '.', '--pretty', 'false'], typeProblem),
  },
];

async function main(): Promise<number> {
  let found = 0;
  for (const { name, problems } of checks) {
    const lines = await problems();
    found += lines.length;
    for (const line of lines) process.stdout.write(`${line}\n`);
    process.stdout.write(`check: ${name}: ${lines.length === 0 ? 'good' : `${lines.length} problem(s)`}\n`);
  }
  return found === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(await main());
