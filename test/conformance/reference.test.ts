/**
 * The reference plugins of Debian (containernetworking-plugins 1.1.1), tried as anyone's. What they fail is in
 * docs/conformance.md, with the reason; `FAIRLEAD_UPDATE_DOCS=1` writes what happens into the page.
 */
// packages: containernetworking-plugins iptables
// seconds: 600
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { rules } from '../../src/cli/conformance/rules/index.ts';
import { fairlead } from '../cli/fairlead.ts';
import { broken, type ConformanceReport, conform } from './conform.ts';
import { reasonFor } from './reasons.ts';

const page = `${root}/docs/conformance.md`;
const directory = '/usr/lib/cni';

/** Those that this kernel can run: ipvlan, vlan and vrf need kinds of links that it has not, dhcp a server. */
const plugins = [
  'bridge',
  'ptp',
  'macvlan',
  'host-device',
  'loopback',
  'host-local',
  'static',
  'portmap',
  'firewall',
  'tuning',
  'bandwidth',
  'sbr',
];

/** Puts a text between the page's two marks of a name, or compares it with what is there. */
function hold(name: string, text: string): void {
  const content = readFileSync(page, 'utf8');
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [content.indexOf(start) + start.length, content.indexOf(end)];
  expect(content).toContain(start);
  expect(to).toBeGreaterThanOrEqual(from);
  if (process.env.FAIRLEAD_UPDATE_DOCS === '1')
    writeFileSync(page, `${content.slice(0, from)}\n${text}\n${content.slice(to)}`);
  else expect(content.slice(from, to)).toBe(`\n${text}\n`);
}

const row = (...cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;

const code = (text: string) => `\`${text.replaceAll('`', "'")}\``;

function countsTable(reports: ReadonlyMap<string, ConformanceReport>): string {
  const lines = [...reports].map(([name, report]) => {
    const { kind, versions, holds } = report;
    const wrong = broken(report).map(({ id }) => code(id));
    return row(code(name), kind, `${versions[0]} – ${versions.at(-1)}`, String(holds), wrong.join(', '));
  });
  return (
    row('plugin', 'kind', 'versions', 'rules that hold', 'rules that are broken') +
    row('---', '---', '---', '---', '---') +
    lines.join('')
  );
}

/** A line for each rule and reason: which plugins break it so, and what was seen of the first. */
function reasonsTable(reports: ReadonlyMap<string, ConformanceReport>): string {
  const lines = new Map<string, { id: string; names: string[]; seen: string; reason: string }>();
  for (const [name, report] of reports) {
    for (const { id, seen = '' } of broken(report)) {
      const reason = reasonFor(id, name);
      const line = lines.get(`${id} ${reason}`) ?? { id, names: [], seen, reason };
      line.names.push(name);
      lines.set(`${id} ${reason}`, line);
    }
  }
  const order = rules.map(({ id }) => id);
  const sorted = [...lines.values()].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  const all = (names: readonly string[]) =>
    names.length === reports.size ? 'all' : names.map(code).join(', ');
  return (
    row('rule', 'broken by', 'what was seen (of the first)', 'why') +
    row('---', '---', '---', '---') +
    sorted.map(({ id, names, seen, reason }) => row(code(id), all(names), code(seen), reason)).join('')
  );
}

test('what the reference plugins fail is in the docs, with the reason', async () => {
  const reports = new Map<string, ConformanceReport>();
  for (const name of plugins) reports.set(name, (await conform(`${directory}/${name}`)).report);
  for (const report of reports.values()) expect(report.holds).toBeGreaterThan(40);
  hold('reference', `${countsTable(reports)}\n${reasonsTable(reports)}`);
}, 500_000);

test('the sample report', async () => {
  const { exitCode, stdout } = await fairlead(['conformance', `${directory}/portmap`], { CNI_PATH: '' }, 120);
  hold(
    'sample',
    `\`\`\`console\n$ fairlead conformance ${directory}/portmap\n${stdout}$ echo $?\n${exitCode}\n\`\`\`\n`,
  );
}, 120_000);

test('every rule is in the docs', () => {
  const lines = rules.map(({ id, text, level, section }) => row(code(id), text, level, section));
  hold(
    'rules',
    row('rule', 'what must hold', 'level', 'by') + row('---', '---', '---', '---') + lines.join(''),
  );
});
