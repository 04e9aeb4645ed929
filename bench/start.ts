/**
 * Whether a plugin's start pays for the others: the executable beside one that is built from the same sources with the
 * first plugins alone.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { compile } from '../scripts/compile.ts';
import { root } from '../scripts/process.ts';
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { pluginNames } from '../src/plugins/names.ts';
import { type Contender, type Measured, median, run } from './measure.ts';
import { plainBridge } from './networks.ts';
import type { StartCost } from './rows.ts';

/** What the smaller executable has. */
const few = ['bridge', 'host-local', 'loopback', 'portmap'];

/** The most that all plugins may cost more than few, as a part of the whole. */
const goal = 1.05;

const commands = ['VERSION', 'ADD'] as const;

/** VERSION and ADD of bridge, in turns: time, and page faults, which are most of what loading code costs. */
export function measureStart(fairlead: Contender, scratch: string, rounds: number): StartCost[] {
  const both: Contender[] = [{ name: 'fairlead', bin: buildFew(scratch) }, fairlead];
  const taken = both.map(() => commands.map((): Measured[] => []));
  for (let round = -2; round < rounds; round++) {
    for (const [index, contender] of both.entries()) {
      const once = startOnce(contender, fairlead, scratch);
      if (round < 0) continue;
      for (const [command, measured] of once.entries()) taken[index]?.[command]?.push(measured);
    }
  }
  const counts = [few.length, pluginNames.length] as const;
  return commands.flatMap((command, index) =>
    (['ms', 'faults'] as const).map((unit) => {
      const [small = Number.NaN, all = Number.NaN] = taken.map((of) =>
        median((of[index] ?? []).map((one) => one[unit])),
      );
      return {
        what: `\`bridge\` ${command}`,
        unit: unit === 'ms' ? 'ms' : 'page faults',
        few: small,
        all,
        counts,
        goal,
      };
    }),
  );
}

function startOnce(contender: Contender, fairlead: Contender, scratch: string): readonly Measured[] {
  const netns = `${scratch}/ns`;
  const [config = {}] = plainBridge(fairlead, scratch);
  const call = { plugin: 'bridge', containerId: 'start', netns, config };
  createNetns(netns);
  try {
    const measured = commands.map((command) => run(contender, { ...call, command }));
    run(contender, { ...call, command: 'DEL' });
    return measured;
  } finally {
    removeNetns(netns);
  }
}

/** Builds the smaller executable from a copy of the sources; returns its bin directory. */
function buildFew(scratch: string): string {
  const copy = `${scratch}/few`;
  cpSync(`${root}/src`, `${copy}/src`, { recursive: true });
  for (const name of ['node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(`${root}/${name}`, `${copy}/${name}`);
  const names = `${copy}/src/plugins/names.ts`;
  const isKept = (line: string) => {
    const [, name] = /^ {2}'?([\w-]+)'?: async \(\) =>/.exec(line) ?? [];
    return name === undefined || few.includes(name);
  };
  const text = readFileSync(names, 'utf8').split('\n').filter(isKept).join('\n');
  writeFileSync(names, text);
  compile(`${copy}/src/bin/fairlead.ts`, `${copy}/fairlead`);
  mkdirSync(`${copy}/cni`);
  for (const name of few) symlinkSync('../fairlead', `${copy}/cni/${name}`);
  return `${copy}/cni`;
}
