/** The unit tests of src/lib and src/cni, bundled so that Node runs them: that code is published for Node too. */
import { readFileSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { BunPlugin } from 'bun';
import { root } from './process.ts';

/** Where the bundles are written; inside the repository, so that `expect` is found in its node_modules. */
const outdir = `${root}/dist/node-tests`;

/** `bun:test` is the shim, and a test that reads files beside itself finds them although it moved. */
const asNode: BunPlugin = {
  name: 'bun:test on Node',
  setup(build) {
    // A filter on the module's name never sees `bun:test`, which Bun resolves first; the text is changed instead.
    build.onLoad({ filter: /\/src\/(?:lib|cni)\/.*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll("from 'bun:test'", `from ${JSON.stringify(`${root}/scripts/node-test-shim.ts`)}`),
    }));
  },
};

/**
 * Bundles test files (paths from the repository's root) and returns the bundles' paths.
 * @throws AggregateError with the bundler's messages
 */
export async function bundleForNode(files: readonly string[]): Promise<readonly string[]> {
  rmSync(outdir, { recursive: true, force: true });
  const built = await Bun.build({
    entrypoints: files.map((file) => `${root}/${file}`),
    root,
    outdir,
    naming: '[dir]/[name].mjs',
    target: 'node',
    packages: 'external',
    plugins: [asNode],
  });
  return built.outputs.map(({ path }) => path);
}
