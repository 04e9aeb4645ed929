import { expect, test } from 'bun:test';
import { readDeclarations } from './files.ts';

test('a file that says nothing runs on the first kernel, beside others, for two minutes', () => {
  expect(readDeclarations('a.test.ts', "import 'x';\n")).toEqual({
    path: 'a.test.ts',
    packages: [],
    prepare: [],
    kernels: ['first'],
    alone: false,
    seconds: 120,
  });
});

test('everything that a file can say', () => {
  const text =
    '/** Doc. */\n// packages: nftables, strace\n// prepare: test/x/y.ts\n// kernels: first, second\n// alone\n// seconds: 300\n';
  expect(readDeclarations('a.test.ts', text)).toEqual({
    path: 'a.test.ts',
    packages: ['nftables', 'strace'],
    prepare: ['test/x/y.ts'],
    kernels: ['first', 'second'],
    alone: true,
    seconds: 300,
  });
});

test.each([
  ['// kernels: third', 'a.test.ts: "// kernels:" takes first and second, got "third"'],
  ['// seconds: soon', 'a.test.ts: "// seconds:" takes a number above 0'],
])('%s is refused', (text, message) => {
  expect(() => readDeclarations('a.test.ts', text)).toThrow(message);
});
