import { expect, test } from 'bun:test';
import { bytesFromText, doubled, textFromBytes } from './bytes.ts';

test.each(['', 'eth0', 'x'.repeat(64), 'x'.repeat(65), 'ä', '€uro 😀', '\uFEFFmarked', `${'y'.repeat(70)}ö`])(
  '%j comes back',
  (text) => {
    expect(textFromBytes(bytesFromText(text))).toBe(text);
  },
);

test('what is no UTF-8 is replaced', () => {
  expect(textFromBytes(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\uFFFDb');
  expect([...bytesFromText('\uD800')]).toEqual([0xef, 0xbf, 0xbd]);
});

test('a doubled buffer keeps what is in it', () => {
  expect([...doubled(Uint8Array.of(1, 2))]).toEqual([1, 2, 0, 0]);
});
