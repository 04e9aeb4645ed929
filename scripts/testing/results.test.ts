import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { count, judge, type TestProcessEnd } from './results.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-results-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

const good: TestProcessEnd = { exitCode: 0, timedOut: false, output: '', seconds: 1 };

function judged(xml: string | undefined, ended: Partial<TestProcessEnd> = {}, expected = ['test/a.test.ts']) {
  const file = `${directory}/junit.xml`;
  rmSync(file, { force: true });
  if (xml !== undefined) writeFileSync(file, xml);
  const result = judge('test/a.test.ts', expected, { ...good, ...ended }, file);
  const failed = result.tests.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
  return { ...count([result]), names: failed };
}

const one = '<testcase name="one" file="test/a.test.ts" />';
const bad = '<testcase name="bad" file="test/a.test.ts"><failure /></testcase>';

test('a good run is what its file tells', () => {
  expect(judged(one)).toEqual({ passed: 1, failed: 0, skipped: 0, names: [] });
  expect(judged(one + bad, { exitCode: 1 })).toEqual({ passed: 1, failed: 1, skipped: 0, names: ['bad'] });
});

test('no JUnit file, or one without a test of this file: failed', () => {
  expect(judged(undefined)).toMatchObject({ failed: 1, names: ['(ran no test)'] });
  expect(judged('<testsuites/>')).toMatchObject({ failed: 1, names: ['(ran no test)'] });
  expect(judged(one, {}, ['test/a.test.ts', 'test/b.test.ts'])).toMatchObject({ passed: 1, failed: 1 });
});

test('a run that ended badly after good tests: failed', () => {
  expect(judged(one, { exitCode: 3 }).names).toEqual(['(ended with exit code 3)']);
  expect(judged(one, { exitCode: undefined }).names).toEqual(['(ended with a signal)']);
  expect(judged(one, { exitCode: undefined, timedOut: true, seconds: 9 }).names).toEqual([
    '(out of time after 9 s)',
  ]);
  expect(judged(one, { exitCode: 97 }).names).toEqual(['(processes were left running)']);
});
