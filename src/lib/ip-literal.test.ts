import { expect, test } from 'bun:test';
import { formatAddress, formatPrefix } from './ip.ts';
import { address, prefix } from './ip-literal.ts';

test('what can be read is what it says', () => {
  expect(formatAddress(address('FD00::7'))).toBe('fd00::7');
  expect(formatPrefix(prefix('10.1.0.7/16'))).toBe('10.1.0.7/16');
});

test('what cannot be read is thrown', () => {
  expect(() => address('10.1.0.7/16')).toThrow('10.1.0.7/16 is no address');
  expect(() => prefix('10.1.0.7')).toThrow('10.1.0.7 is no prefix');
});
