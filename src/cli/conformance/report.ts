/** What was found, for people and for programs. */
import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { groups, type Rule } from './rule.ts';
import type { Verdict } from './run.ts';
import type { Subject } from './subject.ts';

/** A run. */
export interface Findings {
  readonly subject: Subject;
  /** Where the configuration comes from. */
  readonly origin: string;
  readonly verdicts: readonly Verdict[];
}

type Word = Verdict['verdict'];

/** How many rules ended so. */
export function count(verdicts: readonly Verdict[], word: Word): number {
  return verdicts.filter(({ verdict }) => verdict === word).length;
}

/** The report for people: a group of rules after the other, below each that is broken what was seen and what should be. */
export function textReport({ subject, origin, verdicts }: Findings, style: Style): string {
  const shown = verdicts.filter((each) => each.verdict !== 'notTried' || each.applies);
  const width = Math.max(0, ...shown.map(({ rule }) => rule.id.length));
  const sections = groups.flatMap((group) => {
    const lines = shown.filter(({ rule }) => rule.group === group).map((each) => line(each, width, style));
    return lines.length === 0 ? [] : [`${style.bold(group)}\n${lines.join('')}`];
  });
  return [head(subject, origin, style), ...sections, `${summary(verdicts, style)}\n`].join('\n');
}

function head({ path, kind, versions, pluginPath }: Subject, origin: string, style: Style): string {
  return [
    style.bold(printable(path)),
    `  kind           ${kind}`,
    `  versions       ${versions.join(', ')}`,
    `  configuration  ${printable(origin)}`,
    `  CNI_PATH       ${printable(pluginPath.join(':'))}`,
    '',
  ].join('\n');
}

function line(each: Verdict, width: number, style: Style): string {
  const { id, text, section } = each.rule;
  const name = id.padEnd(width);
  const below = ' '.repeat(width + 6);
  switch (each.verdict) {
    case 'holds':
      return `  ${style.green('✓')} ${name}  ${text}\n`;
    case 'notTried':
      return `  ${style.dim(`– ${name}  ${text}`)}\n${below}${style.dim(`not tried: ${printable(each.reason)}`)}\n`;
    case 'broken':
      return [
        `  ${style.red('✗')} ${name}  ${text}`,
        `${below}seen       ${style.red(printable(each.seen))}`,
        `${below}should be  ${style.green(printable(each.expected))}`,
        `${below}by         ${section}\n`,
      ].join('\n');
  }
}

function summary(verdicts: readonly Verdict[], style: Style): string {
  const broken = count(verdicts, 'broken');
  const others = verdicts.filter((each) => each.verdict === 'notTried' && !each.applies).length;
  const rest = [
    `${count(verdicts, 'holds')} hold`,
    `${count(verdicts, 'notTried') - others} not tried`,
    `${others} about other kinds and versions`,
  ].join(', ');
  if (broken > 0) return `${style.red(`✗ ${broken} of ${verdicts.length} rules broken`)}, ${rest}`;
  if (count(verdicts, 'holds') === 0) return style.red(`✗ no rule could be tried`);
  return `${style.green('✓ no rule broken')}: ${rest}`;
}

/** The report for programs. */
export function jsonReport({ subject, origin, verdicts }: Findings): object {
  const { path, type, kind, versions } = subject;
  return {
    plugin: path,
    type,
    kind,
    versions,
    configuration: origin,
    holds: count(verdicts, 'holds'),
    broken: count(verdicts, 'broken'),
    notTried: count(verdicts, 'notTried'),
    rules: verdicts.map(({ rule, ...verdict }) => ({ ...ruleJson(rule), ...verdict })),
  };
}

/** What a rule says of itself. */
export function ruleJson({ id, group, text, section, level }: Rule): object {
  return { id, group, text, section, level };
}

/** `--list`: every rule and where the specification demands it. */
export function listText(rules: readonly Rule[], style: Style): string {
  const width = Math.max(...rules.map(({ id }) => id.length));
  return groups
    .map((group) => {
      const lines = rules
        .filter((rule) => rule.group === group)
        .map(({ id, text, section, level }) => {
          const below = ' '.repeat(width + 4);
          return `  ${id.padEnd(width)}  ${text}\n${below}${style.dim(`${level}: ${section}`)}\n`;
        });
      return `${style.bold(group)}\n${lines.join('')}`;
    })
    .join('\n');
}
