/** Which tests a run is asked for: all of them, or the files under some paths. */
import { relative, resolve } from 'node:path';
import { root } from '../process.ts';
import { type RootTestFile, rootTestFiles, unitTestFiles } from './files.ts';

/** What is to run. */
export interface Selection {
  /** Whether the parts of `npm run check` are. */
  readonly checks: boolean;
  readonly unit: readonly string[];
  readonly root: readonly RootTestFile[];
}

/** Selects files and folders by their paths; everything where there are none. @throws Error for a path without a test */
export function select(paths: readonly string[]): Selection {
  const [unit, rootTests] = [unitTestFiles(), rootTestFiles()];
  if (paths.length === 0) {
    return { checks: true, unit, root: rootTests };
  }
  const wanted = paths.map((path) => relative(root, resolve(root, path)));
  const under = (file: string, path: string) => path === '' || file === path || file.startsWith(`${path}/`);
  for (const path of wanted) {
    if ([...unit, ...rootTests.map((file) => file.path)].some((file) => under(file, path))) continue;
    throw new Error(`${path}: no test file there; npm test -- --list shows all`);
  }
  const isWanted = (file: string) => wanted.some((path) => under(file, path));
  const named = rootTests.filter(({ path }) => isWanted(path));
  return { checks: false, unit: unit.filter(isWanted), root: named };
}

/** The selection for people: a line per file. */
export function listing({ unit, root: rootTests }: Selection): string {
  const rootLine = ({ path, kernels, packages, alone }: RootTestFile) => {
    const facts = [
      `kernels: ${kernels.join(', ')}`,
      ...(packages.length > 0 ? [`packages: ${packages.join(' ')}`] : []),
    ];
    return `${path} (root; ${[...facts, ...(alone ? ['alone'] : [])].join('; ')})`;
  };
  return [...unit, ...rootTests.map(rootLine)].map((line) => `${line}\n`).join('');
}
