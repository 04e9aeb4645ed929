/** The same folders searched by libcni and here; testdata/loading/main.go says how libcni's answers were made. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CniError } from '../error.ts';
import { loadNetwork } from './load.ts';

interface Folder {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Why the answer here is another one. */
  readonly ours?: string;
}

interface Observed {
  readonly found: boolean;
  readonly cniVersion?: string;
  readonly disableCheck?: boolean;
  readonly disableGC?: boolean;
  readonly plugins?: readonly string[];
  readonly bytes?: string;
}

const testdata = new URL('../testdata/loading/', import.meta.url);
const load = (file: string) => JSON.parse(readFileSync(new URL(file, testdata), 'utf8'));
const folders: readonly Folder[] = load('folders.json');
const observed: Readonly<Record<string, Observed & { readonly error?: string }>> = load('observed.json');

const root = mkdtempSync(join(tmpdir(), 'fairlead-folders-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Looks for the network "net" in a folder with these files. */
function find(files: Folder['files']): Observed {
  const folder = mkdtempSync(join(root, 'net.d-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  try {
    const { cniVersion, disableCheck, disableGC, plugins, bytes } = loadNetwork(folder, 'net');
    return {
      found: true,
      cniVersion,
      ...(disableCheck && { disableCheck }),
      ...(disableGC && { disableGC }),
      plugins: plugins.map(({ type }) => type),
      bytes: new TextDecoder().decode(bytes),
    };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return { found: false };
  }
}

describe('found as libcni finds it', () => {
  test('every folder was searched', () => {
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(observed).sort());
  });

  for (const { name, files } of folders.filter((folder) => folder.ours === undefined)) {
    test(name, () => {
      const { error, ...expected } = observed[name] ?? { found: false };
      expect(find(files)).toEqual(expected);
    });
  }
});

describe('not as libcni, for a reason', () => {
  const different = folders.filter(({ ours }) => ours !== undefined);

  test.each(different.map(({ name, ours, files }) => [name, ours, files] as const))(
    '%s: %s',
    (name, _why, files) => {
      const { error, ...expected } = observed[name] ?? { found: false };
      expect(find(files)).not.toEqual(expected);
    },
  );
});
