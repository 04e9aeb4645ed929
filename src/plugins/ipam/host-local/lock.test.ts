import { afterEach, beforeEach, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { takeLock } from './lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-lock-`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a lock that is held is waited for, not for ever, and its holder named', () => {
  const path = `${directory}/lock`;
  const held = takeLock(path);
  // Bun's own name depends on which of its names started it.
  const name = readFileSync('/proc/self/comm', 'utf8').trim();
  expect(() => takeLock(path, 50)).toThrow(
    `process ${process.pid} (${name}) has held the lock ${path} for more than 0.05 s`,
  );
  closeSync(held);
  closeSync(takeLock(path, 0));
});

test('a lock that cannot be made is the file system’s error', () => {
  expect(() => takeLock(`${directory}/none/lock`)).toThrow('ENOENT');
});
