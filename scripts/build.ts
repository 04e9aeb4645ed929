/**
 * `npm run build`: compiles dist/fairlead, the one executable, and makes dist/cni/, a CNI bin directory with a link
 * to it for each plugin. Both appear by rename: what runs meanwhile keeps the old ones. `--outdir DIR` builds
 * elsewhere than in dist.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pluginNames } from '../src/plugins/names.ts';
import { compile } from './compile.ts';
import { root } from './process.ts';

const { values } = parseArgs({ options: { outdir: { type: 'string', default: `${root}/dist` } } });
const outdir = resolve(values.outdir);
const executable = `${outdir}/fairlead`;
const binDirectory = `${outdir}/cni`;

function link(): void {
  mkdirSync(binDirectory, { recursive: true });
  for (const name of pluginNames) {
    const next = `${binDirectory}/.${name}.${process.pid}`;
    rmSync(next, { force: true });
    symlinkSync('../fairlead', next);
    renameSync(next, `${binDirectory}/${name}`);
  }
  const others = readdirSync(binDirectory).filter((name) => !pluginNames.some((known) => known === name));
  for (const name of others) rmSync(`${binDirectory}/${name}`);
}

const start = performance.now();
mkdirSync(outdir, { recursive: true });
compile(`${root}/src/bin/fairlead.ts`, executable);
link();
const size = Math.round(Bun.file(executable).size / 1024 / 1024);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
process.stderr.write(
  `fairlead: built ${executable} (${size} MiB) and ${binDirectory}/{${pluginNames.join(',')}} in ${seconds} s\n`,
);
