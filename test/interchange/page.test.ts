/** docs/interchange.md says what the tests do, and the table has every plugin that both sides have. */
// packages: containernetworking-plugins
import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { isPluginName } from '../../src/plugins/names.ts';
import { reference } from '../support/reference.ts';
import { exchanges } from './exchanges.ts';
import { currentPage, pageFile } from './page.ts';

test('the page is the table’s; if not, npm run docs writes it', () => {
  expect(readFileSync(pageFile, 'utf8')).toBe(currentPage());
});

/** Which has a daemon on each side: test/plugins/dhcp exchanges those. */
const elsewhere = ['dhcp'];

test('every plugin that the reference has and Fairlead too is exchanged', () => {
  const both = readdirSync(reference).filter((name) => isPluginName(name) && !elsewhere.includes(name));
  const exchanged = new Set(exchanges.map(({ plugin }) => plugin));
  expect(both.filter((name) => !exchanged.has(name))).toEqual([]);
  expect(both.length).toBeGreaterThan(10);
});
