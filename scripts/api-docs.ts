/**
 * `npm run docs`: writes docs/api, the reference of what plugin authors import, from the doc comments. Read with the
 * compiler that the project pins, by its own API: TypeDoc and API Extractor bring an older compiler each. And the table
 * of docs/interchange.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { API } from 'typescript/unstable/async';
import { writePage } from '../test/interchange/page.ts';
import { type Door, pageOf } from './api-docs/page.ts';
import { root } from './process.ts';

/** The doors, from package.json, and their pages below docs/api. */
export function doors(): readonly Door[] {
  const { exports } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    exports: Readonly<Record<string, string>>;
  };
  return Object.entries(exports)
    .filter(([, module]) => module.endsWith('.ts'))
    .map(([path, module]) => ({
      name: `fairlead/${path.slice(2)}`,
      module: module.slice(2),
      page: `${path.slice(2).replaceAll('/', '-')}.md`,
    }));
}

/** Every page: its file's name, and its text. */
export async function apiPages(): Promise<ReadonlyMap<string, string>> {
  const api = new API({ cwd: root });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] });
    const [project] = snapshot.getProjects();
    if (project === undefined) throw new Error('the compiler found no project');
    const pages = new Map<string, string>();
    for (const door of doors()) pages.set(door.page, await pageOf(project, door));
    return pages;
  } finally {
    await api.close();
  }
}

if (import.meta.main) {
  const pages = await apiPages();
  mkdirSync(`${root}/docs/api`, { recursive: true });
  for (const [page, text] of pages) writeFileSync(`${root}/docs/api/${page}`, text);
  writePage();
  process.stderr.write(`fairlead: wrote docs/interchange.md and docs/api/{${[...pages.keys()].join(',')}}\n`);
}
