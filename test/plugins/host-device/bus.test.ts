/**
 * Devices that are named by their place on a bus, and those that a program drives. What sysfs shows is made up here
 * (bus.ts); the links are real, and the reference's plugin sees the same.
 */
// packages: containernetworking-plugins iproute2
// seconds: 30
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { type AddResult, add, check, del } from '../../support/plugin.ts';
import { exchanges, reference, testWithReference } from '../../support/reference.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, nextIpam, removeSegment } from '../../support/segment.ts';
import { hideBuses, makeAuxiliaryDevice, makePciDevice, showBuses } from './bus.ts';
import { attach, configOf, ifname, lasting, names, refused } from './device.ts';

beforeEach(async () => {
  await makeSegment();
  await hideBuses();
}, limit(10));
afterEach(async () => {
  await showBuses();
  await removeSegment();
}, limit(10));

const plugin = 'host-device';
const address = '0000:03:00.1';
const pci = { device: undefined, pciBusID: address };
const byRuntime = (deviceID: string) => ({
  device: undefined,
  capabilities: { deviceID: true },
  runtimeConfig: { deviceID },
});

/** Makes a device, and names it. */
const devices: readonly (readonly [what: string, make: () => void, keys: object])[] = [
  ['a PCI device', () => makePciDevice(address, { driver: 'ice', links: ['eth0'] }), pci],
  [
    'in capitals',
    () => makePciDevice('0000:af:00.0', { links: ['eth0'] }),
    { ...pci, pciBusID: '0000:AF:00.0' },
  ],
  [
    'a virtio device behind a PCI device',
    () => makePciDevice(address, { driver: 'virtio-pci', links: ['eth0'], below: 'virtio0' }),
    pci,
  ],
  [
    'a PCI device of which several links are left: the first by its name',
    () => makePciDevice(address, { driver: 'mlx4_core', links: ['eth0', 'eth1'] }),
    pci,
  ],
  [
    'a PCI device that the runtime names',
    () => makePciDevice(address, { driver: 'ice', links: ['eth0'] }),
    byRuntime(address),
  ],
  [
    'an auxiliary device that the runtime names',
    () => makeAuxiliaryDevice('mlx5_core.sf.2', ['eth0']),
    byRuntime('mlx5_core.sf.2'),
  ],
  [
    'the runtime, whatever the configuration says',
    () => makePciDevice(address, { driver: 'ice', links: ['eth0'] }),
    { ...byRuntime(address), device: 'lo' },
  ],
];

describe('is given and comes back', () => {
  test.each(devices)('%s', async (_, make, keys) => {
    make();
    const { container, call } = await attach(configOf(keys));
    expect(await lasting(ifname, container.netns)).toMatchObject({ ifalias: 'eth0', up: true });
    await check(call);
    await del(call);
    expect([await names(container.netns), await names()]).toEqual([['lo'], ['eth0', 'lo']]);
  });
});

describe.each(exchanges)('$name', ({ first, second }) => {
  const common = { cniVersion: '1.0.0', ipam: nextIpam() };

  testWithReference(plugin)('a PCI device', async () => {
    makePciDevice(address, { driver: 'ice', links: ['eth0'] });
    const container = createContainer();
    const config = configOf({ ...pci, ...common });
    const call = { plugin, config, container, ifname };
    const prevResult = await add({ ...call, ...first });
    await check({ ...call, ...second, config: { ...config, prevResult } });
    await del({ ...call, ...second, config: { ...config, prevResult } });
    expect([await names(container.netns), await names()]).toEqual([['lo'], ['eth0', 'lo']]);
  });
});

describe.each(['vfio-pci', 'uio_pci_generic', 'igb_uio'])(
  'the driver %s hands the device to a program',
  (driver) => {
    test.each([
      ['IPAM', { ipam: nextIpam([4, 6]) }],
      ['nothing', {}],
    ])('ADD asks %s and touches no link, and so do CHECK and DEL', async (_, more) => {
      makePciDevice(address, { driver });
      const config = configOf({ ...pci, ...more });
      const { container, result, call } = await attach(config);
      expect(result.interfaces).toEqual([{ name: ifname, sandbox: container.netns }]);
      expect((result.ips ?? []).map((ip) => ip.interface)).toEqual('ipam' in more ? [0, 0] : []);
      expect([await names(container.netns), await names()]).toEqual([['lo'], ['eth0', 'lo']]);
      await check(call);
      await del(call);
      await del({ ...call, config });
    });

    testWithReference(plugin)('the result is the reference’s', async () => {
      makePciDevice(address, { driver });
      const dns = { nameservers: ['192.0.2.53'] };
      const ipam = { ...nextIpam([4, 6]), routes: [{ dst: '0.0.0.0/0', gw: '10.50.0.1' }] };
      for (const more of [{ ipam, dns }, { dns }]) {
        const config = configOf({ ...pci, cniVersion: '1.0.0', ...more });
        const call = { plugin, config, container: createContainer(), ifname };
        const theirs = await add<AddResult>({ ...call, binDirectory: reference });
        const ours = await add<AddResult>(call);
        expect(comparable(ours)).toEqual(comparable(theirs));
      }
    });
  },
);

/** Release 1.1.1 says nothing of the interface where there are addresses, 1.9.1 does. A `dns` that says nothing is printed by both. */
function comparable({ dns = {}, interfaces: _, ...result }: AddResult): object {
  return { ...result, dns };
}

describe('refused', () => {
  test('a PCI device without a driver', async () => {
    makePciDevice(address, {});
    const { code, msg, details } = await refused(configOf(pci));
    expect({ code, msg }).toEqual({
      code: 7,
      msg: `\`pciBusID\` of plugin \`host-device\`: ${address} has no network interface`,
    });
    expect(details).toContain('is no network device, or has no driver');
  });

  test('one whose links are all in containers', async () => {
    makePciDevice(address, { driver: 'ice', links: ['card0'] });
    const gone = await refused(configOf(pci));
    expect(gone).toMatchObject({ code: 11 });
    expect(gone.msg).toContain(`${address} has no interface on the node: another container has it`);
  });
});
