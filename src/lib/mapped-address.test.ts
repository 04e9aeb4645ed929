import { expect, test } from 'bun:test';
import { formatAddress } from './ip.ts';
import { address } from './ip-literal.ts';
import { mapAddress, unmapAddress } from './mapped-address.ts';

const through = (convert: typeof mapAddress, text: string) => formatAddress(convert(address(text)));

test.each([
  ['0.0.0.0', '::ffff:0.0.0.0'],
  ['10.0.0.1', '::ffff:10.0.0.1'],
  ['255.255.255.255', '::ffff:255.255.255.255'],
])('%s is %s among IPv6 addresses', (text, mapped) => {
  expect(through(mapAddress, text)).toBe(mapped);
  expect(through(unmapAddress, mapped)).toBe(text);
});

test.each(['::', '::1', '::fffe:a00:1', '::1:ffff:a00:1', '::10.0.0.1', '64:ff9b::a00:1'])(
  '%s is no IPv4 address',
  (text) => {
    expect(through(unmapAddress, text)).toBe(through(mapAddress, text));
  },
);
