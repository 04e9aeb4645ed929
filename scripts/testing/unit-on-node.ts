/** The unit tests of src/lib and src/cni on Node. */
import { bundleForNode } from '../node-tests.ts';
import { root, run } from '../process.ts';
import { type FileResult, judge } from './results.ts';

/** The Node on PATH, the one that npm runs on: `v20.19.2`. */
export async function nodeVersion(): Promise<string> {
  return (await run(['node', '--version'])).output.trim();
}

/** Bundles the files and runs them with Node's own test runner. */
export async function runOnNode(files: readonly string[], directory: string): Promise<FileResult> {
  const junitFile = `${directory}/node.xml`;
  const bundles = await bundleForNode(files);
  const reporter = ['--test-reporter=junit', `--test-reporter-destination=${junitFile}`];
  const spec = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const ended = await run(['node', '--test', ...reporter, ...spec, ...bundles], { timeoutSeconds: 300 });
  const expected = bundles.map((path) => path.slice(root.length + 1));
  return judge('unit tests on Node', expected, ended, junitFile);
}
