import { afterAll, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from './node-host.ts';
import { readAll, writeAll } from './process-host.ts';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-host-'));
afterAll(() => rmSync(directory, { recursive: true }));

function withFile<T>(content: string, flags: string, use: (fd: number) => T): T {
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

test.each([0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000])('reads %d bytes', (size) => {
  expect(withFile('x'.repeat(size), 'r', (fd) => readAll(nodeFiles, fd, 100_000))).toBe('x'.repeat(size));
});

test('one byte over the limit is a decoding failure', () => {
  expect(() => withFile('x'.repeat(100_001), 'r', (fd) => readAll(nodeFiles, fd, 100_000))).toThrow(
    'is larger than',
  );
});

test('a descriptor that cannot be read is an I/O failure that says why', () => {
  const fd = openSync(directory, 'r');
  try {
    readAll(nodeFiles, fd, 10);
    throw new Error('it could be read');
  } catch (error) {
    expect(error).toMatchObject({ code: 5 });
    expect(String(error)).toMatch(/cannot read the configuration from standard input: EISDIR/);
  } finally {
    closeSync(fd);
  }
});

test('writes all of a text', () => {
  const text = 'ü'.repeat(200_000);
  withFile('', 'w', (fd) => writeAll(nodeFiles, fd, text));
  expect(readFileSync(join(directory, 'file'), 'utf8')).toBe(text);
});

test('a full disk is an error', () => {
  const fd = openSync('/dev/full', 'w');
  expect(() => writeAll(nodeFiles, fd, 'x')).toThrow('ENOSPC');
  closeSync(fd);
});
