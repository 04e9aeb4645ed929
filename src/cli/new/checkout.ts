/** Where the package `fairlead` is: it is not published yet, so a new project depends on a directory. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CniError } from '../../cni/index.ts';

/** Whether a directory is a checkout of Fairlead: its package, with the sources that plugins import. */
function isCheckout(directory: string): boolean {
  try {
    const { name } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as { name?: unknown };
    return name === 'fairlead' && existsSync(`${directory}/src/plugin/index.ts`);
  } catch {
    return false;
  }
}

/**
 * The checkout that was named; else the one that the executable was built in (its `dist/fairlead`), or whose source is
 * run where there is no executable. Throws a `CniError` that says what to give.
 */
export function findCheckout(named: string | undefined, executablePath: string | undefined): string {
  const way = 'get its source and name it: --fairlead DIR';
  if (named !== undefined) {
    const directory = resolve(named);
    if (isCheckout(directory)) return directory;
    throw new CniError(
      'ioFailure',
      `${directory} is no checkout of Fairlead: it has no package "fairlead"`,
      way,
    );
  }
  if (executablePath === undefined) return resolve(import.meta.dirname, '../../..');
  const built = dirname(dirname(realpathSync(executablePath)));
  if (isCheckout(built)) return built;
  throw new CniError(
    'ioFailure',
    `a plugin is built with Fairlead's source, and ${executablePath} is not in a checkout of it`,
    way,
  );
}
