import { describe, expect, test } from 'bun:test';
import {
  addressFromBytes,
  addressToBytes,
  containsAddress,
  formatAddress,
  formatPrefix,
  lastAddress,
  networkOf,
  parseAddress,
  parsePrefix,
} from './ip.ts';
import { address, prefix } from './ip-literal.ts';

describe('addresses', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['10.1.2.3', '10.1.2.3'],
    // RFC 4291 section 2.2
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['FF01:0:0:0:0:0:0:101', 'ff01::101'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['::13.1.68.3', '::d01:4403'],
    ['::FFFF:129.144.52.38', '::ffff:129.144.52.38'],
    // RFC 5952 section 4: longest run, first of equals, never one group alone
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::', 'fe80::'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatAddress(address(text))).toBe(canonical);
    expect(addressFromBytes(addressToBytes(address(text)))).toEqual(address(text));
  });

  test.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1..2.3',
    '0x10.1.1.1',
    '010.1.1.1',
    '256.1.1.1',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.-4',
    '+1.2.3.4',
    '1.2.3.4/8',
    ':',
    ':::',
    '1::2::3',
    '12zz::1',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1.2.3',
    '1.2.3.4::',
    'fe80::1%eth0',
    '::1 ',
    '１.2.3.4',
  ])('%p is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('bytes of any other length are no address', () => {
    expect(addressFromBytes(new Uint8Array(5))).toBeUndefined();
  });
});

describe('prefixes', () => {
  test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0', '/8', '10.0.0.0/-1', '10.0.0.0/08', '::/129', '::/1e1'])(
    '%p is no prefix',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
    },
  );

  test.each([
    ['10.1.2.3/16', '10.1.0.0/16', '10.1.255.255'],
    ['10.1.2.3/0', '0.0.0.0/0', '255.255.255.255'],
    ['10.1.2.3/32', '10.1.2.3/32', '10.1.2.3'],
    ['fd00::7/64', 'fd00::/64', 'fd00::ffff:ffff:ffff:ffff'],
    ['fd00::7/127', 'fd00::6/127', 'fd00::7'],
  ])('%s: network %s, last address %s', (text, network, last) => {
    expect(formatPrefix(networkOf(prefix(text)))).toBe(network);
    expect(formatAddress(lastAddress(prefix(text)))).toBe(last);
  });

  test('containment is by family and leading bits', () => {
    expect(containsAddress(prefix('10.1.0.7/16'), address('10.1.255.255'))).toBe(true);
    expect(containsAddress(prefix('10.1.0.7/16'), address('10.2.0.0'))).toBe(false);
    expect(containsAddress(prefix('::/0'), address('10.2.0.0'))).toBe(false);
    expect(containsAddress(prefix('0.0.0.0/0'), address('10.2.0.0'))).toBe(true);
  });
});
