/** The tables of keys in docs/plugins are what the plugins' schemas say: no key more, none less, none different. */
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { commonSchema } from '../../src/cni/config.ts';
import type { Problem, Schema } from '../../src/cni/schema/schema.ts';
import { dataDirOf, hostLocalSchema } from '../../src/plugins/ipam/host-local/config.ts';
import { mappingSchema, markBitOf, portmapSchema } from '../../src/plugins/meta/portmap/config.ts';
import { loadPlugin, pluginNames } from '../../src/plugins/names.ts';
import { type Key, keysOf } from './keys.ts';
import { codeIn, pageText, type Row, tableRows } from './page.ts';

/** What the page's table says, where it is right. */
const asTold = ({ path, type, fallback }: Key) => ({ key: `\`${path}\``, type, default: fallback });

function readKeys(rows: readonly Row[], heading: string) {
  return rows.map((row) => ({ key: row[heading], type: row.type, default: row.default }));
}

/** The examples of a table, each read as its key would be. */
function problemsOfExamples(rows: readonly Row[], heading: string, keys: readonly Key[]): readonly string[] {
  return rows.flatMap((row) => {
    const path = codeIn(row[heading] ?? '') ?? '';
    const schema = keys.find((key) => key.path === path)?.schema;
    const example = codeIn(row.example ?? '');
    if (schema === undefined || example === undefined) return [`${path}: no example`];
    const problems: Problem[] = [];
    schema.read(JSON.parse(example), [path], problems);
    const unexplained = (row['what it does'] ?? '').length < 8 ? [`${path}: not explained`] : [];
    return [...problems.map(({ message }) => `${path} ${message}`), ...unexplained];
  });
}

function expectTable(page: string, schema: Schema<unknown>, heading = 'key'): void {
  const rows = tableRows(pageText(page), heading);
  const keys = keysOf(schema);
  expect(readKeys(rows, heading)).toEqual(keys.map(asTold));
  expect(problemsOfExamples(rows, heading, keys)).toEqual([]);
}

describe('the table of keys', () => {
  test.each(pluginNames)('%s', async (name) => {
    expectTable(`docs/plugins/${name}.md`, (await loadPlugin(name)).config);
  });

  test('the keys that every plugin takes', () => expectTable('docs/plugins/README.md', commonSchema));

  test("portmap's mappings", () => expectTable('docs/plugins/portmap.md', mappingSchema, 'mapping'));
});

test('what holds without a key that has no default in its schema', () => {
  const whatItDoes = (page: string, key: string) =>
    tableRows(pageText(page), 'key').find((row) => row.key === `\`${key}\``)?.['what it does'];
  const hostLocal = hostLocalSchema.read({ ipam: {} }, [], []);
  const portmap = portmapSchema.read({}, [], []);
  if (hostLocal === undefined || portmap === undefined) throw new Error('empty configurations are right');
  expect(whatItDoes('docs/plugins/host-local.md', 'ipam.dataDir')).toContain(`\`${dataDirOf(hostLocal)}\``);
  expect(whatItDoes('docs/plugins/portmap.md', 'markMasqBit')).toContain(`${markBitOf(portmap)} without`);
});

test('there is a page for each plugin, and no other; each is named where plugins are listed', () => {
  const pages = pluginNames.map((name) => `${name}.md`);
  expect(readdirSync(`${root}/docs/plugins`).sort()).toEqual(['README.md', ...pages].sort());
  expect(existsSync(`${root}/docs/choose.md`)).toBe(true);
  for (const [page, prefix] of [
    ['docs/plugins/README.md', ''],
    ['docs/choose.md', 'plugins/'],
    ['README.md', 'docs/plugins/'],
  ] as const) {
    for (const name of pages) expect(pageText(page)).toContain(`(${prefix}${name})`);
  }
});
