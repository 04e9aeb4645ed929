/**
 * `npm run build`: compiles dist/fairlead, the one executable, and makes dist/cni/, a CNI bin directory with a link
 * to it for each plugin; and dist/fairlead-call with dist/served/, the same for a node where `fairlead serve` does the
 * calls. All appear by rename: what runs meanwhile keeps the old ones. `--outdir DIR` builds elsewhere than in dist.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { linkPlugin, writeExecutable } from '../src/cli/install-files.ts';
import { callerProgram } from '../src/cli/serve/caller/program.ts';
import { callerName, pluginNames } from '../src/plugins/names.ts';
import { compile } from './compile.ts';
import { root } from './process.ts';

const { values } = parseArgs({ options: { outdir: { type: 'string', default: `${root}/dist` } } });
const outdir = resolve(values.outdir);
const executable = `${outdir}/fairlead`;
const binDirectory = `${outdir}/cni`;

function link(directory: string, to: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of pluginNames) linkPlugin(`../${to}`, `${directory}/${name}`);
  const others = readdirSync(directory).filter((name) => !pluginNames.some((known) => known === name));
  for (const name of others) rmSync(`${directory}/${name}`);
}

const start = performance.now();
mkdirSync(outdir, { recursive: true });
compile(`${root}/src/bin/fairlead.ts`, executable);
link(binDirectory, 'fairlead');
if (process.arch === 'x64') {
  writeExecutable(callerProgram(), `${outdir}/${callerName}`);
  link(`${outdir}/served`, callerName);
}
const size = Math.round(Bun.file(executable).size / 1024 / 1024);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
process.stderr.write(
  `fairlead: built ${executable} (${size} MiB) and ${binDirectory}/{${pluginNames.join(',')}} in ${seconds} s\n`,
);
