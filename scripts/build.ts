/**
 * `npm run build`: compiles dist/fairlead, the one executable, and makes dist/cni/, a CNI bin directory with a link
 * to it for each plugin. Both appear by rename: what runs meanwhile keeps the old ones.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { pluginNames } from '../src/plugins/names.ts';

const root = new URL('..', import.meta.url).pathname;
const executable = `${root}dist/fairlead`;
const binDirectory = `${root}dist/cni`;

/** Bytecode starts fastest as ESM; what Bun reads from the working directory by default is turned off (docs/decisions). */
const flags = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
];

function compile(): void {
  const next = `${executable}.${process.pid}.next`;
  const built = Bun.spawnSync(
    [process.execPath, 'build', ...flags, `${root}src/bin/fairlead.ts`, `--outfile=${next}`],
    { cwd: root, stdout: 'pipe', stderr: 'pipe' },
  );
  if (built.exitCode !== 0) {
    process.stderr.write(`${built.stdout.toString()}${built.stderr.toString()}`);
    process.exit(1);
  }
  renameSync(next, executable);
}

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
mkdirSync(`${root}dist`, { recursive: true });
compile();
link();
const size = Math.round(Bun.file(executable).size / 1024 / 1024);
const seconds = ((performance.now() - start) / 1000).toFixed(1);
process.stderr.write(
  `fairlead: built dist/fairlead (${size} MiB) and dist/cni/{${pluginNames.join(',')}} in ${seconds} s\n`,
);
