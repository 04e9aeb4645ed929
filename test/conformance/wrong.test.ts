/** Wrong plugins, each wrong in one way: each breaks exactly the rule that is about it. */
// seconds: 900
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { compile } from '../../scripts/compile.ts';
import { root } from '../../scripts/process.ts';
import { broken, conform } from './conform.ts';
import { type Fault, faults } from './wrong/faults.ts';

const directory = mkdtempSync(`${tmpdir()}/wrong-`);

beforeAll(() => {
  mkdirSync(`${directory}/bin`);
  compile(`${root}/test/conformance/wrong/main.ts`, `${directory}/wrong`);
  for (const name of ['right', ...Object.keys(faults)]) symlinkSync('../wrong', `${directory}/bin/${name}`);
});

afterAll(() => rmSync(directory, { recursive: true }));

function options({ rule, chained }: Pick<Fault, 'rule' | 'chained'>): readonly string[] {
  return [...(chained ? ['--kind', 'chained'] : []), ...(rule === 'ends' ? ['--timeout', '1'] : [])];
}

test('the right one breaks no rule', async () => {
  const { exitCode, report } = await conform(`${directory}/bin/right`);
  expect(broken(report)).toEqual([]);
  expect(exitCode).toBe(0);
  expect(report.kind).toBe('interface');
  expect(report.holds).toBeGreaterThan(60);
}, 120_000);

test('the right one breaks no rule as a chained plugin', async () => {
  const { report } = await conform(`${directory}/bin/right`, '--kind', 'chained');
  expect(broken(report)).toEqual([]);
}, 120_000);

for (const [name, fault] of Object.entries(faults)) {
  // They mostly wait, for plugins that are slow and for namespaces that the kernel removes.
  test.concurrent(`${name}: ${fault.rule}`, async () => {
    const { exitCode, report } = await conform(`${directory}/bin/${name}`, ...options(fault));
    expect(broken(report).map(({ id }) => id)).toEqual([fault.rule]);
    expect(exitCode).toBe(1);
  }, 120_000);
}
