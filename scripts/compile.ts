/** Compiling a program to one executable, as everything that Fairlead ships is compiled. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { root } from './process.ts';

/**
 * Bytecode starts fastest as ESM. Each dynamic import is a piece of its own, so that a plugin's start reads its own
 * code only. A process of a few milliseconds gains nothing from compiling to machine code, and its threads cost; what
 * runs for long asks for it (`Bun.unsafe.setJITPolicy`). What Bun reads from the working directory by default is
 * turned off (docs/decisions/0001).
 */
const flags = [
  '--compile',
  '--bytecode',
  '--format=esm',
  '--splitting',
  '--compile-jit-policy=1000000',
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
];

/**
 * Whether errors know where in the source they were thrown, and what things are called there: `forAuthors`. The map lies
 * in the executable, 0.2 MiB, and is read by nobody before an error's stack is: a start takes the same time.
 */
const sources = {
  forAuthors: ['--minify-syntax', '--minify-whitespace', '--sourcemap'],
  forNobody: ['--minify'],
} as const;

/**
 * Compiles a program. The executable appears by rename: what runs meanwhile keeps the old one.
 * @throws Error with the compiler's own output
 */
export function compile(entry: string, executable: string, places: keyof typeof sources = 'forNobody'): void {
  // A directory, since the compiler puts the maps beside the executable too.
  const next = `${executable}.${process.pid}.next`;
  mkdirSync(next);
  try {
    const made = `${next}/${basename(executable)}`;
    const argv = [process.execPath, 'build', ...flags, ...sources[places], entry, `--outfile=${made}`];
    const built = Bun.spawnSync(argv, { cwd: root, stdout: 'pipe', stderr: 'pipe' });
    if (built.exitCode !== 0) {
      throw new Error(`cannot compile ${entry}:\n${built.stdout.toString()}${built.stderr.toString()}`);
    }
    renameSync(made, executable);
  } finally {
    rmSync(next, { recursive: true });
  }
}
