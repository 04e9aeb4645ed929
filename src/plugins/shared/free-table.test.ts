import { expect, test } from 'bun:test';
import { freeTable, lastTable } from './free-table.ts';

test('the first that is not taken, and none of the kernel’s', () => {
  expect(freeTable(new Set(), 100)).toBe(100);
  expect(freeTable(new Set([100, 101, 103]), 100)).toBe(102);
  expect(freeTable(new Set([252]), 252)).toBe(256);
  expect(freeTable(new Set(), lastTable)).toBe(lastTable);
});

test('none left is an error that says so', () => {
  expect(() => freeTable(new Set([lastTable]), lastTable)).toThrow(
    'no routing table is free from 4294967295 to 4294967295 in the container',
  );
  expect(() => freeTable(new Set([100, 101]), 100, 101)).toThrow('no routing table is free from 100 to 101');
});
