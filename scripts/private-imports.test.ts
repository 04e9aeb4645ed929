import { expect, test } from 'bun:test';
import { privateImports } from './private-imports.ts';

test("Fairlead's own plugins use what every author can import, and nothing else", async () => {
  expect(await privateImports()).toEqual([]);
}, 60_000);
