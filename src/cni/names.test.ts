import { describe, expect, test } from 'bun:test';
import { identifierProblem, interfaceNameProblem, namespacePathProblem, pluginTypeProblem } from './names.ts';

describe('identifiers', () => {
  test.each(['a', '0', 'A.b_c-d', 'a'.repeat(255), '1..2'])('%p is right', (text) => {
    expect(identifierProblem(text)).toBeUndefined();
  });
  test.each(['', '.', '..', '-a', '_a', 'a/b', '../a', 'a b', 'a\n', 'a\0', 'ä', 'a:b', 'a'.repeat(256)])(
    '%p is wrong',
    (text) => expect(identifierProblem(text)).toBeDefined(),
  );
});

describe('interface names', () => {
  test.each(['eth0', 'a'.repeat(15), 'eth-0.1@x', '...', 'äöü'])('%p is right', (text) => {
    expect(interfaceNameProblem(text)).toBeUndefined();
  });
  test.each([
    '',
    '.',
    '..',
    'a'.repeat(16),
    'äöüäöüäö',
    'a/b',
    'a:1',
    'a b',
    'a\t',
    'a\n',
    'a\0',
    'a\u00a0',
    'a\u0085',
    'eth%d',
    '100%',
  ])('%p is wrong', (text) => expect(interfaceNameProblem(text)).toBeDefined());
});

test.each([
  ['/run/netns/a', undefined],
  ['/proc/1/ns/net', undefined],
  ['netns', 'must be an absolute path, got "netns"'],
  ['../a', 'must be an absolute path, got "../a"'],
  ['/run/\0', 'must not have a NUL character'],
])('namespace path %p', (text, problem) => {
  expect(namespacePathProblem(text)).toBe(problem);
});

test.each(['', '.', '..', 'a/b', '/bin/sh', '../sh', 'a\\b', 'a\0', 'a\n'])(
  '%p is no plugin type',
  (text) => {
    expect(pluginTypeProblem(text)).toBeDefined();
  },
);
