import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotANamespaceError, openNetns, openOwnNetns, sameNetns } from './netns.ts';

describe('opening', () => {
  test.each([
    ['/proc', 'a directory'],
    ['/dev/null', 'a file of another kind'],
  ])('%s is %s, not a network namespace', (path, what) => {
    expect(() => openNetns(path)).toThrow(
      new NotANamespaceError(`${path} is ${what}, not a network namespace`),
    );
  });

  test('nor is a plain file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-netns-'));
    try {
      const path = join(directory, 'plain');
      writeFileSync(path, '');
      expect(() => openNetns(path)).toThrow(`${path} is a plain file, not a network namespace`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('a path that is not there is ENOENT', () => {
    expect(() => openNetns('/nonexistent/ns')).toThrow('ENOENT');
  });

  test('the own namespace is the same as itself, opened twice', () => {
    const [first, second] = [openOwnNetns(), openOwnNetns()];
    expect(sameNetns(first, second)).toBe(true);
    first.close();
    second.close();
  });
});
