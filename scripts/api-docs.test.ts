import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { apiPages } from './api-docs.ts';
import { root } from './process.ts';

test('docs/api says what the doc comments say; npm run docs writes it anew', async () => {
  const pages = await apiPages();
  expect(readdirSync(`${root}/docs/api`).sort()).toEqual([...pages.keys()].sort());
  for (const [page, text] of pages) expect(readFileSync(`${root}/docs/api/${page}`, 'utf8')).toBe(text);
}, 60_000);
