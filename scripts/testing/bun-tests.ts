/** Test files on Bun: its command line, and the two ways that it is run on this machine. */
import { getuid } from 'node:process';
import { root, run } from '../process.ts';
import type { RootTestFile } from './files.ts';
import { type FileResult, judge } from './results.ts';

/** How long one test may take, in seconds, where it does not say. */
export const testSeconds = 30;

/** How many `test.concurrent` of a file run at once: more only wait for the machine's cores. */
const concurrentTests = 4;

/** `bun test` for files, which writes their results to a JUnit file. */
export function bunTest(
  files: readonly string[],
  junitFile: string,
  secondsPerTest = testSeconds,
): readonly string[] {
  const reporter = ['--reporter=junit', `--reporter-outfile=${junitFile}`];
  const paths = files.map((file) => `./${file}`);
  const limits = [`--timeout=${secondsPerTest * 1000}`, `--max-concurrency=${concurrentTests}`];
  return [process.execPath, 'test', ...limits, ...reporter, ...paths];
}

/** Runs the unit tests, in one process. */
export async function runUnitTests(files: readonly string[], directory: string): Promise<FileResult> {
  const junitFile = `${directory}/unit.xml`;
  const ended = await run(bunTest(files, junitFile), { timeoutSeconds: 300 });
  return judge('unit tests on Bun', files, ended, junitFile);
}

/** Runs a root test file in a sandbox of its own, on this machine's kernel. */
export async function runInSandbox(file: RootTestFile, directory: string): Promise<FileResult> {
  const junitFile = `${directory}/${nameOf(file)}.xml`;
  const argv = [`${root}/scripts/sandbox.sh`, ...bunTest([file.path], junitFile)];
  const ended = await run(argv, { timeoutSeconds: file.seconds });
  return judge(file.path, [file.path], ended, junitFile);
}

/** A file name for a test file's results. */
export function nameOf({ path }: RootTestFile): string {
  return path.replaceAll('/', '-');
}

/** Whether this process may make network and mount namespaces. */
export function isRoot(): boolean {
  return getuid?.() === 0;
}
