import { expect, test } from 'bun:test';
import type { TestResult } from '../junit.ts';
import { report, sumLine } from './report.ts';
import type { Group } from './results.ts';

function group(on: string, tests: readonly [string, TestResult['outcome']][], output = ''): Group {
  const file = 'test/a.test.ts';
  const results = tests.map(([name, outcome]) => ({ file, name, outcome }));
  return { name: 'test', on, files: [{ file, tests: results, output, seconds: 1.25 }] };
}

test('the last line is the sum; what is skipped is only named where there is any', () => {
  expect(sumLine([group('first', [['a', 'passed']]), group('second', [['a', 'failed']])])).toBe(
    '1 passed, 1 failed',
  );
  const groups = [group('first', [['a', 'skipped']])];
  expect(report(groups)).toEndWith('\n0 passed, 0 failed, 1 skipped\n');
});

test('a failure comes with its output, without what passed', () => {
  const output = 'src/b.test.ts:\n(pass) fine\n\ntest/a.test.ts:\nerror: no\n(fail) bad\n';
  expect(report([group('first', [['bad', 'failed']], output)])).toStartWith(
    'FAILED test/a.test.ts (first): bad\n  | test/a.test.ts:\n  | error: no\n  | (fail) bad\n\n',
  );
});

test('a skip says where the test did pass', () => {
  const groups = [group('first', [['a [skipped: no vlan]', 'skipped']]), group('second', [['a', 'passed']])];
  expect(report(groups)).toContain('test/a.test.ts (first): a [skipped: no vlan]; passed on the second\n');
});
