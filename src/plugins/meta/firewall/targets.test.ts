import { expect, test } from 'bun:test';
import { formatAddress } from '../../../lib/ip.ts';
import { firewallSchema } from './config.ts';
import { missingParts, problemsOf } from './forward-state.ts';
import { addressesOf } from './targets.ts';

const config = (keys: object) => {
  const read = firewallSchema.read(keys, [], []);
  if (read === undefined) throw new Error('wrong keys');
  return read;
};

test('an empty text is as if the key were not there', () => {
  const keys = { backend: '', iptablesAdminChainName: '', firewalldZone: '', ingressPolicy: '' };
  expect(config(keys)).toEqual(config({}));
  expect(config({})).toEqual({
    backend: '',
    iptablesAdminChainName: 'CNI-ADMIN',
    firewalldZone: 'trusted',
    ingressPolicy: 'open',
  });
});

test('all addresses, each once, IPv4 also where it is written as IPv6', () => {
  const addresses = ['10.1.0.5/24', 'fd00::5/64', '::ffff:10.1.0.5/120', '10.1.0.6/32'];
  const found = addressesOf({ ips: addresses.map((address) => ({ address })) });
  expect(found.map(formatAddress)).toEqual(['10.1.0.5', 'fd00::5', '10.1.0.6']);
});

test('what is missing of FORWARD, only where it is used', () => {
  const nothing = {
    isUsed: true,
    hasForward: true,
    hasOwnChain: false,
    hasAdminChain: false,
    enters: false,
    asksAdmin: false,
    accepts: false,
  };
  expect(missingParts(nothing)).toEqual(['own chain', 'admin chain', 'accept', 'admin', 'enter']);
  expect(missingParts({ ...nothing, isUsed: false })).toEqual([]);
  expect(
    problemsOf('table t', 'MINE', { ...nothing, hasOwnChain: true, enters: true, accepts: true }),
  ).toEqual(['table t has no chain MINE', 'table t has no rule in CNI-FORWARD that leads to MINE']);
});
