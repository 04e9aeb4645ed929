/** Compiling a program to one executable, as everything that Fairlead ships is compiled. */
import { renameSync } from 'node:fs';
import { root } from './process.ts';

/**
 * Bytecode starts fastest as ESM. Each dynamic import is a piece of its own, so that a plugin's start reads its own
 * code only. A process of a few milliseconds gains nothing from compiling to machine code, and its threads cost; what
 * runs for long asks for it (`Bun.unsafe.setJITPolicy`). What Bun reads from the working directory by default is
 * turned off (docs/decisions/0001).
 */
const flags = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  '--splitting',
  '--compile-jit-policy=1000000',
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
