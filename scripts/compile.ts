/** Compiling a program to one executable, as everything that Fairlead ships is compiled. */
import { renameSync } from 'node:fs';
import { root } from './process.ts';

/** Bytecode starts fastest as ESM; what Bun reads from the working directory by default is turned off (docs/decisions). */
const flags = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
];

/**
 * Compiles a program. The executable appears by rename: what runs meanwhile keeps the old one.
 * @throws Error with the compiler's own output
 */
export function compile(entry: string, executable: string): void {
  const next = `${executable}.${process.pid}.next`;
  const built = Bun.spawnSync([process.execPath, 'build', ...flags, entry, `--outfile=${next}`], {
    cwd: root,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  if (built.exitCode !== 0) {
    throw new Error(`cannot compile ${entry}:\n${built.stdout.toString()}${built.stderr.toString()}`);
  }
  renameSync(next, executable);
}
