import { expect, test } from 'bun:test';
import { chainWord, interfaceOf } from './chain-word.ts';

test.each([
  ['cni0', 'cni0'],
  ['br-lan_0.1', 'br-lan_0.1'],
  ['br@"0', 'br/40/220'],
  ['brü', 'br/c3/bc'],
])('%s', (name, word) => {
  expect(chainWord(name)).toBe(word);
  expect(interfaceOf(word)).toBe(name);
});
