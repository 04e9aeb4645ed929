/** What the pages for people refer to is there: files, headings, scripts, commands, entries of the package. */
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { doors } from '../../scripts/imports.ts';
import { root } from '../../scripts/process.ts';
import { commands } from '../../src/cli/commands/index.ts';
import { anchorsOf, linksOf, pageText, tableRows } from './page.ts';

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap((directory) =>
    [...new Bun.Glob('**/*.md').scanSync(`${root}/${directory}`)].map((name) => `${directory}/${name}`),
  ),
].sort();

/** What is wrong with a link of a page; undefined where it leads somewhere. */
function problemOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : posix.join(posix.dirname(page), path);
  if (!existsSync(`${root}/${target}`)) return `${link}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (statSync(`${root}/${target}`).isDirectory()) return `${link}: a directory has no headings`;
  return anchorsOf(pageText(target)).has(anchor) ? undefined : `${link}: ${target} has no such heading`;
}

describe('links lead somewhere', () => {
  test.each(pages)('%s', (page) => {
    expect(linksOf(pageText(page)).flatMap((link) => problemOf(page, link) ?? [])).toEqual([]);
  });
});

test('every page in docs can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    for (const link of linksOf(pageText(page))) {
      const target = posix.join(posix.dirname(page), link.split('#')[0] ?? '');
      if (target.endsWith('.md') && existsSync(`${root}/${target}`)) reached.add(target);
    }
  }
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});

test('the index of decisions has every page, by its title', () => {
  const files = readdirSync(`${root}/docs/decisions`).filter((name) => /^\d{4}-/.test(name));
  const index = files.sort().map((file) => {
    const number = file.slice(0, 4);
    const [heading = ''] = pageText(`docs/decisions/${file}`).split('\n');
    expect(heading).toStartWith(`# ${number}: `);
    return { page: `[${number}](${file})`, decision: heading.slice(`# ${number}: `.length) };
  });
  expect(tableRows(pageText('docs/decisions/README.md'), 'page')).toEqual(index);
});

test('what the README names is there: scripts, commands, entries of the package', () => {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    scripts: Record<string, string>;
    exports: Record<string, string>;
  };
  const text = pageText('README.md') + pageText('CONTRIBUTING.md');
  const scripts = [...text.matchAll(/\bnpm (?:run )?([a-z]+)/g)].map(([, name = '']) => name);
  expect(scripts).toContain('demo');
  expect(scripts.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
  const entries = [...text.matchAll(/`fairlead(\/[a-z/]+)`/g)].map(([, name = '']) => `.${name}`);
  expect(entries).toContain('./cni');
  expect(entries.filter((name) => manifest.exports[name] === undefined)).toEqual([]);
  const [, list = ''] = /\[`fairlead ([a-z, ]+)`\]/.exec(text) ?? [];
  const names = commands.map(({ name }) => name);
  expect(list.split(', ').filter((name) => !names.includes(name))).toEqual([]);
});

test('the folders of the architecture page, and what each may import', () => {
  const told = tableRows(pageText('docs/architecture.md'), 'folder').map((row) => [
    row.folder,
    row['may import'],
  ]);
  const folders = readdirSync(`${root}/src`).filter((name) => statSync(`${root}/src/${name}`).isDirectory());
  const right = folders.map((folder) => [
    `\`src/${folder}\``,
    (doors[folder] ?? [])
      .filter((name) => folders.includes(name))
      .map((name) => `\`${name}\``)
      .join(', ') || 'nothing',
  ]);
  expect(told.sort()).toEqual(right.sort());
});
