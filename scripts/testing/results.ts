/** What a run of test files came to: the tests that its JUnit file tells of, and what went wrong around them. */
import { readFileSync } from 'node:fs';
import { readJunit, type TestResult } from '../junit.ts';

/** One run of a test file (or of several in one process). */
export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  /** What the run printed; shown where a test failed. */
  readonly output: string;
  readonly seconds: number;
}

/** Test files of one kind on one kernel, for one line of the table. */
export interface Group {
  readonly name: string;
  /** The kernel's release, or the runtime's; `-` where it does not matter. */
  readonly on: string;
  readonly files: readonly FileResult[];
}

/** How a test process ended. */
export interface TestProcessEnd {
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** The exit code of scripts/sandbox.sh where something was left running. */
const leftRunning = 97;

/** Makes a failed test out of something that went wrong. */
export function failedTest(file: string, name: string): TestResult {
  return { file, name, outcome: 'failed' };
}

/**
 * Judges a run by its end and its JUnit file. That it ran out of time, crashed, left processes running, or ran no
 * test of a file that it was given counts as a failed test each.
 */
export function judge(
  file: string,
  expected: readonly string[],
  ended: TestProcessEnd,
  junitFile: string,
): FileResult {
  const tests = readJunit(readIfThere(junitFile));
  const wrong: string[] = [];
  if (ended.timedOut) wrong.push(`out of time after ${Math.round(ended.seconds)} s`);
  else if (ended.exitCode === leftRunning) wrong.push('processes were left running');
  else if (ended.exitCode !== 0 && !tests.some(({ outcome }) => outcome === 'failed')) {
    wrong.push(`ended with ${ended.exitCode === undefined ? 'a signal' : `exit code ${ended.exitCode}`}`);
  }
  const ranNothing = expected.filter(
    (path) => !tests.some((test) => test.file === '' || test.file.endsWith(path)),
  );
  // Said once: that nothing ran follows from what went wrong before.
  const idle = wrong.length > 0 && tests.length === 0 ? [] : ranNothing;
  const failures = [
    ...wrong.map((what) => failedTest(file, `(${what})`)),
    ...idle.map((path) => failedTest(path, '(ran no test)')),
  ];
  return { file, tests: [...tests, ...failures], output: ended.output, seconds: ended.seconds };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** How many tests of these runs ended in each way. */
export function count(files: readonly FileResult[]): Readonly<Record<TestResult['outcome'], number>> {
  const all = files.flatMap(({ tests }) => tests);
  const of = (outcome: TestResult['outcome']) => all.filter((test) => test.outcome === outcome).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}
