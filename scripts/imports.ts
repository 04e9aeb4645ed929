/**
 * The walls between the folders of src/ (docs: the architecture page), held by reading each file's imports:
 * lib ← cni, kernel ← plugin ← plugins ← testing; cluster ← cli ← bin. Each rule says one line per violation.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Something to be put right, on a line of a file (path from the repository's root, lines from 1). */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Which folders of src/ a folder may import from, besides itself. */
export const doors: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  cni: ['lib'],
  kernel: ['lib'],
  plugin: ['lib', 'cni', 'kernel'],
  plugins: ['lib', 'cni', 'kernel', 'plugin'],
  testing: ['lib', 'cni', 'kernel', 'plugin', 'plugins'],
  cluster: ['lib', 'cni', 'kernel', 'plugin'],
  cli: ['lib', 'cni', 'kernel', 'plugin', 'plugins', 'cluster'],
  bin: ['lib', 'cni', 'kernel', 'plugin', 'plugins', 'cluster', 'cli'],
};

/** What runs on Node and Deno too, and is published without dependencies. */
const portable = ['lib', 'cni'];

/** Programs of others: a plugin author's, and the far end of a test's traffic. */
const programs = ['src/plugin/main.ts', 'src/testing/echo-ends.ts'];

/** What is published without dependencies, for Bun. */
const published = ['kernel', 'plugin', 'testing'];

interface Import {
  readonly line: number;
  /** Undefined where it is computed. */
  readonly target: string | undefined;
}

/** The file's text without comments, in the same lines; with `strings` their text is blanked as well. */
function codeOf(text: string, strings: 'keep' | 'blank'): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  const parts = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(parts, (part) => (part.startsWith('/') || strings === 'blank' ? blank(part) : part));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Every import and re-export, of types too: `… from 'x'`, `import 'x'`, `import('x')`, `require('x')`. */
function importsOf(text: string): readonly Import[] {
  const code = codeOf(text, 'keep');
  const statement = /^(?:import\s*|(?:import|export)\b[\w$\s,*{}]*?\bfrom\s*)['"]([^'"\n]+)['"]/gm;
  const call = /(?<![.\w])(?:import|require)\s*\(\s*(?:['"]([^'"\n]+)['"])?/g;
  return [statement, call].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({ line: lineAt(code, match.index), target: match[1] })),
  );
}

/** `src/plugins/main/bridge/port.ts` → `main/bridge`; `shared` and files directly in plugins/ are their own. */
function pluginFolder(path: string): string {
  const [, , group = '', name = ''] = path.split('/');
  return group === 'shared' || name === '' ? group : `${group}/${name}`;
}

/** Why src/FILE may not import the file `target` (both paths from the repository's root); undefined where it may. */
function refuseFile(file: string, target: string): string | undefined {
  if (!target.startsWith('src/')) return `${target} is outside src/, which stands alone`;
  if (!/\.(?:ts|txt)$/.test(target)) return `'${target}' lacks its extension .ts`;
  const [from = '', to = ''] = [file, target].map((path) => path.split('/')[1] ?? '');
  if (from !== to) {
    const open = doors[from];
    if (open === undefined) return `src/${from} has no place in the import order (scripts/imports.ts)`;
    if (!open.includes(to)) return `src/${from} may not import src/${to}, only ${listed(open)}`;
  }
  if (from !== 'plugins' || to !== 'plugins' || file === 'src/plugins/names.ts') return undefined;
  const [own, other] = [pluginFolder(file), pluginFolder(target)];
  if (own === other || other === 'shared') return undefined;
  return `the plugin folder ${own} may not import ${other}: plugins share through src/plugins/shared only`;
}

function listed(folders: readonly string[]): string {
  return folders.length === 0 ? 'itself' : `itself and ${folders.join(', ')}`;
}

/** Why src/FILE may not import this package or builtin; undefined where it may. */
function refusePackage(file: string, name: string): string | undefined {
  const folder = file.split('/')[1] ?? '';
  if (name.startsWith('node:')) return undefined;
  if (name === 'bun:test')
    return file.endsWith('.test.ts') ? undefined : 'bun:test is for *.test.ts files only';
  if (portable.includes(folder))
    return `src/${folder} may import node: builtins and itself only, not ${name}`;
  if (name === 'bun:ffi')
    return file.startsWith('src/kernel/sys/') ? undefined : 'only src/kernel/sys may import bun:ffi';
  if (published.includes(folder) && name !== 'bun' && !name.startsWith('bun:')) {
    return `src/${folder} is published without dependencies and may not import ${name}`;
  }
  return undefined;
}

function refuse(file: string, target: string | undefined): string | undefined {
  if (target === undefined) return 'an import of a computed name cannot be checked';
  if (!target.startsWith('.')) return refusePackage(file, target);
  return refuseFile(file, posix.join(posix.dirname(file), target));
}

/** Names that a folder may not use at all: only src/bin prints or exits, and the portable folders know no Bun. */
function namesOf(file: string, text: string): readonly Problem[] {
  const folder = file.split('/')[1] ?? '';
  const code = codeOf(text, 'blank');
  const find = (pattern: RegExp, why: string) =>
    [...code.matchAll(pattern)].map((match) => ({
      file,
      line: lineAt(code, match.index),
      message: `${match[0]}: ${why}`,
    }));
  const prints =
    /\bprocess\s*\.\s*(?:exit|exitCode|abort|stdout|stderr)\b|\bconsole\s*\.\s*\w+|\bBun\s*\.\s*std(?:out|err)\b|\bwriteSync\(\s*[12]\b/g;
  return [
    ...(folder === 'bin' || programs.includes(file) ? [] : find(prints, 'only src/bin prints or exits')),
    ...(portable.includes(folder) && !file.endsWith('.test.ts')
      ? find(/\bBun\s*\.\s*\w+/g, `src/${folder} runs on Node too`)
      : []),
  ];
}

/** What breaks the walls in one file. `file` is its path from the repository's root: `src/…`. */
export function checkImports(file: string, text: string): readonly Problem[] {
  const imports = importsOf(text).flatMap(({ line, target }) => {
    const message = refuse(file, target);
    return message === undefined ? [] : [{ file, line, message }];
  });
  return [...imports, ...namesOf(file, text)];
}

/** What breaks the walls in any TypeScript file below ROOT/src. */
export function checkAllImports(root: string): readonly Problem[] {
  return readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .flatMap((path) => checkImports(`src/${path}`, readFileSync(`${root}/src/${path}`, 'utf8')));
}
