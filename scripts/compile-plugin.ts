/** `fairlead-plugin build ENTRY OUTPUT`: compiles a plugin of anyone's to one executable. */
import { mkdirSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { compile } from './compile.ts';

const [entry, output, ...more] = process.argv.slice(2);
if (entry === undefined || output === undefined || more.length > 0) {
  process.stderr.write('usage: fairlead-plugin build ENTRY OUTPUT\n');
  process.exit(2);
}
try {
  const executable = resolve(output);
  mkdirSync(dirname(executable), { recursive: true });
  compile(resolve(entry), executable, 'forAuthors');
  const size = Math.round(Bun.file(executable).size / 1024 / 1024);
  process.stderr.write(`fairlead-plugin: built ${relative('.', executable)} (${size} MiB)\n`);
} catch (error) {
  process.stderr.write(`fairlead-plugin: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
