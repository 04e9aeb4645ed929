import { describe, expect, test } from 'bun:test';
import type { Problem } from '../../../cni/schema/schema.ts';
import { bridgeSchema, trunkVlans, vlanLinkName, wantsGateway } from './config.ts';

function read(keys: object) {
  const problems: Problem[] = [];
  const config = bridgeSchema.read(keys, [], problems);
  return { config, problems };
}

test('everything has the default of the reference', () => {
  const { config, problems } = read({});
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    bridge: 'cni0',
    isGateway: false,
    isDefaultGateway: false,
    forceAddress: false,
    ipMasq: false,
    mtu: 0,
    hairpinMode: false,
    promiscMode: false,
    vlan: 0,
    preserveDefaultVlan: false,
    macspoofchk: false,
    enabledad: false,
    disableContainerInterface: false,
    portIsolation: false,
  });
});

test('disableContainerInterface goes with an empty ipam, which is none', () => {
  expect(read({ disableContainerInterface: true, ipam: {} }).problems).toEqual([]);
  expect(read({ disableContainerInterface: true, ipam: { type: '' } }).problems).toEqual([]);
});

describe('each problem names its key', () => {
  test.each<[object, string]>([
    [{ hairpinMode: true, promiscMode: true }, 'hairpinMode'],
    [{ disableContainerInterface: true, ipam: { type: 'static' } }, 'disableContainerInterface'],
    [{ bridge: 'a/b' }, 'bridge'],
    [{ bridge: 'bridge012345', vlan: 100, isDefaultGateway: true }, 'bridge'],
    [{ vlan: 4095 }, 'vlan'],
    [{ vlanTrunk: [{ id: 1 }, { minID: 9 }] }, 'vlanTrunk.1'],
    [{ vlanTrunk: [{ minID: 9, maxID: 8 }] }, 'vlanTrunk.0'],
    [{ ipMasqBackend: 'x' }, 'ipMasqBackend'],
  ])('%j', (keys, path) => {
    expect(read(keys).problems.map((problem) => problem.path.join('.'))).toEqual([path]);
  });
});

test('a long bridge name is right where no gateway needs an interface of its vlan', () => {
  expect(read({ bridge: 'bridge012345', vlan: 100 }).problems).toEqual([]);
});

test('the vlans of a trunk, each once, ascending', () => {
  expect(trunkVlans([])).toEqual([]);
  expect(trunkVlans([{ minID: 10, maxID: 12 }, { id: 3 }, { id: 11, minID: 20, maxID: 20 }])).toEqual([
    3, 10, 11, 12, 20,
  ]);
});

test('being the default gateway is being the gateway', () => {
  expect(wantsGateway({ isGateway: false, isDefaultGateway: true })).toBe(true);
  expect(wantsGateway({ isGateway: false, isDefaultGateway: false })).toBe(false);
  expect(vlanLinkName({ bridge: 'cni0', vlan: 5 })).toBe('cni0.5');
});
