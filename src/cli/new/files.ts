/** The files of a new project. */
import conflist from './files/conflist.txt';
import gitignore from './files/gitignore.txt';
import packageJson from './files/package.json.txt';
import pluginTest from './files/plugin.test.ts.txt';
import plugin from './files/plugin.ts.txt';
import readme from './files/README.md.txt';
import tsconfig from './files/tsconfig.json.txt';

/** What is filled in: `{{name}}`, and `{{dependency}}`, the place of the package as a JSON text. */
export interface Values {
  readonly name: string;
  readonly checkout: string;
}

/** Each file's name in the project, and its text. */
export function projectFiles({ name, checkout }: Values): Readonly<Record<string, string>> {
  const dependency = JSON.stringify(`file:${checkout}`);
  const fill = (text: string) =>
    text.replaceAll('{{name}}', name).replaceAll('{{dependency}}', () => dependency);
  return {
    'package.json': fill(packageJson),
    'plugin.ts': fill(plugin),
    'plugin.test.ts': fill(pluginTest),
    [`${name}.conflist`]: fill(conflist),
    'tsconfig.json': fill(tsconfig),
    'README.md': fill(readme),
    '.gitignore': fill(gitignore),
  };
}
