import { expect, test } from 'bun:test';
import { cniCommands, cniVersions, introducedIn, isAtLeast, isCniCommand, isCniVersion } from './version.ts';

test('versions are ordered by release', () => {
  for (const [i, a] of cniVersions.entries()) {
    for (const [j, b] of cniVersions.entries()) expect(isAtLeast(a, b)).toBe(i >= j);
  }
});

test.each(['', '1', '1.0', '1.1.1', '0.5.0', '01.0.0', ' 1.0.0', '2.0.0'])('%p is no version', (text) => {
  expect(isCniVersion(text)).toBe(false);
});

test('each operation is known since its version', () => {
  expect(Object.fromEntries(cniCommands.map((command) => [command, introducedIn(command)]))).toEqual({
    ADD: '0.1.0',
    DEL: '0.1.0',
    VERSION: '0.1.0',
    CHECK: '0.4.0',
    GC: '1.1.0',
    STATUS: '1.1.0',
  });
});

test.each(['', 'add', 'ADD ', 'toString', '__proto__'])('%p is no operation', (text) => {
  expect(isCniCommand(text)).toBe(false);
});
