/** The root test files, in a sandbox each, on each kernel that they ask for. */
import { release } from 'node:os';
import { runInSandbox } from './bun-tests.ts';
import type { Kernel, RootTestFile } from './files.ts';
import { pooled } from './pool.ts';
import { count, type FileResult, type Group } from './results.ts';
import { runOnSecondKernel } from './second-kernel.ts';

/** How many files run at once; more would make each other late on small machines. */
const width = 2;

/** Says one line about the run. */
export type Say = (line: string) => void;

/** Runs the files: first those that may run beside others, among them the second kernel's, then those that run alone. */
export async function runRootTests(
  files: readonly RootTestFile[],
  directory: string,
  say: Say,
): Promise<readonly Group[]> {
  const on = (kernel: Kernel) => files.filter(({ kernels }) => kernels.includes(kernel));
  const first: FileResult[] = [];
  const second: Group[] = [];
  const runFirst = (file: RootTestFile) => async () => {
    const result = await runInSandbox(file, directory);
    sayResult(say, result, 'first kernel');
    first.push(result);
  };
  const runSecond = async () => {
    const ran = await runOnSecondKernel(on('second'), directory);
    for (const result of ran.files) sayResult(say, result, 'second kernel');
    second.push(...byFolder(ran.files, `second kernel ${ran.release}`));
  };
  const longestFirst = on('first').toSorted((a, b) => b.seconds - a.seconds);
  const beside = longestFirst.filter(({ alone }) => !alone).map(runFirst);
  await pooled(width, on('second').length > 0 ? [runSecond, ...beside] : beside);
  await pooled(1, longestFirst.filter(({ alone }) => alone).map(runFirst));
  return [...byFolder(first, `first kernel ${release()}`), ...second];
}

function sayResult(say: Say, result: FileResult, on: string): void {
  const { passed, failed, skipped } = count([result]);
  const counts = [`${passed} passed`, `${failed} failed`, ...(skipped === 0 ? [] : [`${skipped} skipped`])];
  say(`${result.file} on the ${on}: ${counts.join(', ')} (${result.seconds.toFixed(1)} s)`);
}

function byFolder(files: readonly FileResult[], on: string): readonly Group[] {
  const folderOf = ({ file }: FileResult) => file.slice(0, file.lastIndexOf('/'));
  const folders = [...new Set(files.map(folderOf))].sort();
  return folders.map((name) => ({ name, on, files: files.filter((file) => folderOf(file) === name) }));
}
