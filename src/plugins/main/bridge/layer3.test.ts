import { describe, expect, test } from 'bun:test';
import type { Route } from '../../../cni/index.ts';
import { planLayer3 } from './layer3.ts';

const plain = { isGateway: false, isDefaultGateway: false, ipam: { type: 'some' } };
const gateway = { ...plain, isGateway: true };
const defaultGateway = { ...plain, isDefaultGateway: true };

const four = { address: '10.1.0.5/16' };
const six = { address: 'fd00::5/64' };

test('the addresses are the container interface’s, the third of the result', () => {
  const { ips, routes, gateways, addresses } = planLayer3({ ips: [four, six] }, plain);
  expect(ips).toEqual([
    { ...four, interface: 2 },
    { ...six, interface: 2 },
  ]);
  expect(addresses.map(({ length }) => length)).toEqual([16, 64]);
  expect([routes, gateways]).toEqual([[], []]);
});

test('a gateway that is missing is the first address of the network, one that is given stays', () => {
  const given = { address: '192.168.1.5/24', gateway: '192.168.1.254' };
  const { ips, gateways } = planLayer3({ ips: [four, given, six] }, gateway);
  expect(ips.map((one) => one.gateway)).toEqual(['10.1.0.1', '192.168.1.254', 'fd00::1']);
  expect(gateways.map(({ address, length }) => [address.family, length])).toEqual([
    [4, 16],
    [4, 24],
    [6, 64],
  ]);
});

test('without isGateway a gateway that is missing stays so', () => {
  expect(planLayer3({ ips: [four] }, plain).ips[0]).not.toHaveProperty('gateway');
});

describe('isDefaultGateway', () => {
  const routesOf = (routes: Route[], ips = [four, six]) => planLayer3({ ips, routes }, defaultGateway).routes;
  const four0 = { dst: '0.0.0.0/0', gw: '10.1.0.1' };
  const six0 = { dst: '::/0', gw: 'fd00::1' };

  test('adds a default route for each family, in the order of the addresses', () => {
    expect(routesOf([])).toEqual([four0, six0]);
    expect(routesOf([], [six, four])).toEqual([six0, four0]);
    expect(routesOf([], [four, { address: '10.2.0.5/16' }])).toEqual([four0]);
  });

  test.each<[string, Route]>([
    ['with a next hop', { dst: '0.0.0.0/0', gw: '10.1.0.9' }],
    ['with a next hop, in another table', { dst: '0.0.0.0/0', gw: '10.1.0.9', table: 5 }],
    ['that gets its next hop by default', { dst: '0.0.0.0/0' }],
  ])('adds none beside one %s', (_what, route) => {
    expect(routesOf([route])).toEqual([route, six0]);
  });

  test.each<[string, Route]>([
    ['in another table', { dst: '::/0', table: 5 }],
    ['of another priority', { dst: '::/0', priority: 5 }],
    ['on the link', { dst: '::/0', scope: 253 }],
    ['to another network', { dst: '2001:db8::/32' }],
  ])('adds one beside a route %s', (_what, route) => {
    expect(routesOf([route])).toEqual([route, four0, six0]);
  });
});

test.each([
  [{}, 'the IPAM plugin "some" gave no address'],
  [{ ips: [] }, 'gave no address'],
  [{ ips: [{ address: '10.1.0.5' }] }, '"10.1.0.5", which is no address with a prefix length'],
  [{ ips: [{ ...four, gateway: 'x' }] }, 'gateway "x" for 10.1.0.5/16'],
])('%j is refused', (result, message) => {
  expect(() => planLayer3(result, gateway)).toThrow(message);
});
