/** What Fairlead's own plugins import that authors of other plugins could not: it should be nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { API } from 'typescript/unstable/async';
import { exportsOf } from './api-docs/door.ts';
import { doors } from './api-docs.ts';
import { root } from './process.ts';

/** Folders whose things are an author's only through a door. */
const behindDoors = /^src\/(?:lib|cni|kernel|plugin)\//;

/** Every name that a plugin imports from a file behind the doors: `src/lib/ip.ts parsePrefix`. */
function importedNames(file: string): readonly string[] {
  const text = readFileSync(`${root}/${file}`, 'utf8');
  const statements = text.matchAll(/^import (?:type )?\{([^}]*)\} from '(\.[^']*)';/gm);
  return [...statements].flatMap(([, names = '', from = '']) => {
    const target = posix.join(posix.dirname(file), from);
    if (!behindDoors.test(target)) return [];
    const list = names.split(',').map((name) => name.trim().replace(/^type /, ''));
    return list.filter((name) => name !== '').map((name) => `${target} ${name.replace(/ as .*/, '')}`);
  });
}

/** Where each name that is exported by a door is declared, and by which of its files it may be imported. */
async function publicNames(): Promise<ReadonlySet<string>> {
  const api = new API({ cwd: root });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] });
    const [project] = snapshot.getProjects();
    if (project === undefined) throw new Error('the compiler found no project');
    const names = new Set<string>();
    for (const { module } of doors()) {
      for (const { name, file } of await exportsOf(project, module)) {
        const own = name.slice(name.lastIndexOf('.') + 1);
        names.add(`${file} ${own}`).add(`${module} ${own}`);
      }
    }
    return names;
  } finally {
    await api.close();
  }
}

/** The imports of plugins that no door lets out, a line each. Names that a file only passes on count by their name. */
export async function privateImports(): Promise<readonly string[]> {
  const known = await publicNames();
  const bare = new Set([...known].map((line) => line.split(' ')[1]));
  const files = readdirSync(`${root}/src/plugins`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => `src/plugins/${path}`);
  return files.flatMap((file) =>
    importedNames(file)
      .filter((line) => !known.has(line) && !bare.has(line.split(' ')[1]))
      .map((line) => `${file}: ${line}`),
  );
}
