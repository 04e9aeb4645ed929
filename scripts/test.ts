/**
 * `npm test`: everything that is checked, counted. `npm test -- PATH…` runs only those files, `npm test -- --list`
 * says which there are. The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { dist } from '../test/support/plugin.ts';
import { checks } from './check.ts';
import { requirePackages } from './debian.ts';
import { root, run } from './process.ts';
import { isRoot, runUnitTests } from './testing/bun-tests.ts';
import { runsOnNode, supportPackages } from './testing/files.ts';
import { leftBehind, machine, markProcesses, useTemporaryDirectory } from './testing/machine.ts';
import { report } from './testing/report.ts';
import { count, type Group } from './testing/results.ts';
import { runRootTests } from './testing/root-tests.ts';
import { secondKernelPackages } from './testing/second-kernel.ts';
import { listing, type Selection, select } from './testing/selection.ts';
import { nodeVersion, runOnNode } from './testing/unit-on-node.ts';

const started = performance.now();

function say(line: string): void {
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(`[${String(seconds).padStart(4)} s] ${line}\n`);
}

/** A group of one test of the runner's own: it passes if there is nothing to complain about. */
function single(name: string, complaints: readonly string[], seconds = 0): Group {
  const outcome = complaints.length === 0 ? 'passed' : 'failed';
  const file = {
    file: name,
    tests: [{ file: name, name, outcome } as const],
    output: complaints.join('\n'),
    seconds,
  };
  return { name, on: '-', files: [file] };
}

async function runChecks(): Promise<Group> {
  say('checking import direction, format, lint and types (npm run check) ...');
  const files = [];
  for (const { name, problems } of checks) files.push(...single(name, await problems()).files);
  return { name: 'check', on: '-', files };
}

async function unitsOnBun(files: readonly string[], directory: string): Promise<readonly Group[]> {
  if (files.length === 0) return [];
  say(`unit tests on Bun: ${files.length} files ...`);
  return [{ name: 'unit tests', on: `Bun ${Bun.version}`, files: [await runUnitTests(files, directory)] }];
}

async function unitsOnNode(files: readonly string[], directory: string): Promise<readonly Group[]> {
  if (files.length === 0) return [];
  const version = await nodeVersion();
  say(`unit tests of src/lib and src/cni on Node ${version}: ${files.length} files ...`);
  return [{ name: 'unit tests', on: `Node ${version}`, files: [await runOnNode(files, directory)] }];
}

async function build(): Promise<Group> {
  say(`building ${dist} ...`);
  const ended = await run([process.execPath, `${root}/scripts/build.ts`, '--outdir', dist], {
    timeoutSeconds: 120,
  });
  return single('build', ended.exitCode === 0 ? [] : [ended.output], ended.seconds);
}

async function installPackages({ root: files }: Selection): Promise<void> {
  const second = files.some(({ kernels }) => kernels.includes('second'));
  const declared = [...supportPackages(), ...files.flatMap(({ packages }) => packages)];
  const packages = [...new Set([...declared, ...(second ? secondKernelPackages : [])])].sort();
  await requirePackages(packages, 'the tests', say);
}

/** What files need beyond packages: their modules' own preparation, which may take the network. */
async function prepare({ root: files }: Selection): Promise<void> {
  for (const path of new Set(files.flatMap((file) => file.prepare))) {
    const module = (await import(`${root}/${path}`)) as {
      prepare: (say: (line: string) => void) => Promise<void>;
    };
    await module.prepare(say);
  }
}

/** Everything that needs root, between two looks at the machine. */
async function runAsRoot(selection: Selection, directory: string): Promise<readonly Group[]> {
  if (selection.root.length === 0) return [];
  if (!isRoot())
    return [single('root tests', [`${selection.root.length} files need root: run npm test as root`])];
  await installPackages(selection);
  await prepare(selection);
  const built = await build();
  if (count(built.files).failed > 0) return [built];
  const before = await machine();
  say(`root tests, in a sandbox each: ${selection.root.length} files ...`);
  const groups = await runRootTests(selection.root, directory, say);
  const left = await leftBehind(before);
  return [built, ...groups, single('the machine is as it was before', left)];
}

/** What is thrown, by apt-get for one, is a failure like others. */
async function caught(name: string, groups: () => Promise<readonly Group[]>): Promise<readonly Group[]> {
  try {
    return await groups();
  } catch (error) {
    return [single(name, [error instanceof Error ? error.message : String(error)])];
  }
}

async function runAll(selection: Selection): Promise<readonly Group[]> {
  const directory = mkdtempSync(`${tmpdir()}/fairlead-test-`);
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  markProcesses();
  useTemporaryDirectory(`${directory}/tmp`);
  const { unit } = selection;
  return [
    ...(selection.checks ? await caught('check', async () => [await runChecks()]) : []),
    ...(await caught('unit tests on Bun', () => unitsOnBun(unit, directory))),
    ...(await caught('unit tests on Node', () => unitsOnNode(unit.filter(runsOnNode), directory))),
    ...(await caught('root tests', () => runAsRoot(selection, directory))),
  ];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean' } },
  });
  const selection = select(positionals);
  if (values.list) {
    process.stdout.write(listing(selection));
    return 0;
  }
  const groups = await runAll(selection);
  process.stdout.write(`\n${report(groups)}`);
  return count(groups.flatMap(({ files }) => files)).failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`npm test: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
