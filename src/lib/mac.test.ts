import { expect, test } from 'bun:test';
import { isUnicastMac, macFromBytes, macToBytes, parseMac } from './mac.ts';

test.each([
  ['02:42:AC:11:00:02', '02:42:ac:11:00:02'],
  ['02-42-ac-11-00-02', '02:42:ac:11:00:02'],
  ['0242.ac11.0002', '02:42:ac:11:00:02'],
])('%s is read as %s', (text, mac) => {
  expect(parseMac(text)).toBe(mac);
  expect(macFromBytes(macToBytes(mac))).toBe(mac);
});

test.each([
  '',
  '02:42:ac:11:00',
  '02:42:ac:11:00:02:03',
  '02:42-ac:11:00:02',
  '2:42:ac:11:0:2',
  'zz:42:ac:11:00:02',
])('%p is no hardware address', (text) => {
  expect(parseMac(text)).toBeUndefined();
});

test('multicast and zero addresses are nobody’s own', () => {
  expect(isUnicastMac('02:42:ac:11:00:02')).toBe(true);
  expect(isUnicastMac('01:00:5e:00:00:01')).toBe(false);
  expect(isUnicastMac('00:00:00:00:00:00')).toBe(false);
});
