/** What the run says at its end: a table, what was skipped and why, what failed with its output, and the sum. */
import type { TestResult } from '../junit.ts';
import { count, type FileResult, type Group } from './results.ts';

/** The longest output of a failed file that is shown; its end matters most. */
const outputLimit = 20_000;

/** The last line: `N passed, N failed`, and `, N skipped` where some were. */
export function sumLine(groups: readonly Group[]): string {
  const { passed, failed, skipped } = count(groups.flatMap(({ files }) => files));
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** The whole report, its last line included. */
export function report(groups: readonly Group[]): string {
  const files = groups.flatMap((group) => group.files.map((file) => ({ ...file, on: group.on })));
  const parts = [
    ...files.filter((file) => count([file]).failed > 0).map(failures),
    table(groups),
    skips(files),
    sumLine(groups),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function table(groups: readonly Group[]): string {
  const rows = groups.map((group) => {
    const { passed, failed, skipped } = count(group.files);
    const seconds = group.files.reduce((sum, file) => sum + file.seconds, 0).toFixed(1);
    return [group.name, group.on, ...[passed, failed, skipped].map(String), seconds];
  });
  const all = [['group', 'on', 'passed', 'failed', 'skipped', 'seconds'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const aligned = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return all.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
}

type FileOn = FileResult & { readonly on: string };

const where = (test: TestResult, file: FileOn) =>
  `${test.file === '' ? file.file : test.file} (${file.on}): ${test.name}`;

/** A test's name says why it is skipped (test/support/unless.ts); where it passed elsewhere, that is said too. */
function skips(files: readonly FileOn[]): string {
  const key = (test: TestResult) => `${test.file}: ${test.name.replace(/ \[skipped: .*\]$/, '')}`;
  const all = files.flatMap((file) => file.tests.map((test) => ({ file, test })));
  const passed = new Map(
    all.flatMap(({ file, test }) => (test.outcome === 'passed' ? [[key(test), file.on]] : [])),
  );
  const lines = all.flatMap(({ file, test }) => {
    if (test.outcome !== 'skipped') return [];
    const elsewhere = passed.get(key(test));
    return [`  ${where(test, file)}${elsewhere === undefined ? '' : `; passed on the ${elsewhere}`}`];
  });
  return lines.length === 0 ? '' : `skipped:\n${lines.join('\n')}`;
}

function failures(file: FileOn): string {
  const names = file.tests
    .filter(({ outcome }) => outcome === 'failed')
    .map((test) => `FAILED ${where(test, file)}`);
  return [...names, shownOutput(file.output)].join('\n');
}

/** Without the lines of tests that passed, and without the headings of files that have nothing else to say. */
function shownOutput(output: string): string {
  const lines = output.split('\n').filter((line) => line !== '' && !/^\s*(\(pass\)|✔) /.test(line));
  const isHeading = (line: string | undefined) => line !== undefined && /^\S+\.test\.ts:$/.test(line);
  const text = lines.filter((line, index) => !isHeading(line) || !isHeading(lines[index + 1])).join('\n');
  const cut = text.length > outputLimit ? `… ${text.slice(-outputLimit)}` : text;
  return cut.replaceAll(/^/gm, '  | ');
}
