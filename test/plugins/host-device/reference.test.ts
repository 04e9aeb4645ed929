/** Beside the reference's host-device: the same results, and each can go on with what the other one attached. */
// packages: containernetworking-plugins iproute2 iputils-ping
// seconds: 60
import { afterEach, beforeEach, describe, expect } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { type AddResult, add, check, del } from '../../support/plugin.ts';
import { exchanges, reference, testWithReference } from '../../support/reference.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, nextIpam, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';
import { configOf, ifname, lasting, names, sh } from './device.ts';

const test = testWithReference('host-device');
const plugin = 'host-device';

beforeEach(async () => {
  await makeSegment();
  await sh('ip link set eth0 address 02:aa:bb:cc:dd:ee');
}, limit(10));
afterEach(removeSegment, limit(10));

/** What Debian's release speaks. */
const old = { cniVersion: '1.0.0' };
const routes = [{ dst: '192.0.2.0/24', gw: neighbour.ip4 }];
const only4 = { ...nextIpam(), routes, dns: { domain: 'ipam.example' } };
const named = {
  device: { ipam: { ...nextIpam([4, 6]), routes } },
  hwaddr: { device: undefined, hwaddr: '02-AA-BB-CC-DD-EE', ipam: only4 },
  kernelpath: { device: undefined, kernelpath: '/sys/devices/virtual', ipam: only4 },
};

const ways = exchanges.flatMap((exchange) =>
  Object.entries(named).map(([key, keys]) => ({ ...exchange, key, keys })),
);

describe.each(ways)('$name, by $key', ({ first, second, keys }) => {
  test(
    'the device comes back as it went, and packets pass in between',
    async () => {
      const before = await lasting('eth0');
      const container = createContainer();
      const config = configOf({ ...keys, ...old });
      const call = { plugin, config, container, ifname };
      const prevResult = await add({ ...call, ...first });
      expect(await ping(container.netns, neighbour.ip4)).toBe(true);
      await check({ ...call, ...second, config: { ...config, prevResult } });
      await del({ ...call, ...second, config: { ...config, prevResult } });
      expect(await names(container.netns)).toEqual(['lo']);
      const after = await lasting('eth0');
      // Release 1.1.1 leaves the alias, 1.9.1 does not.
      const ifalias = 'binDirectory' in second ? after.ifalias : undefined;
      expect(after).toEqual({ ...before, ifalias, up: false });
      expect([undefined, 'eth0']).toContain(after.ifalias);
    },
    limit(20),
  );
});

const results: readonly (readonly [what: string, more: object])[] = [
  ['with addresses, routes and dns', { ipam: only4, dns: { nameservers: ['192.0.2.53'] } }],
  ['with addresses and IPAM’s dns', { ipam: only4 }],
  ['without IPAM', { dns: { nameservers: ['192.0.2.53'] } }],
];

/** Before 0.3.0 a result without addresses is an error of the reference's library. */
const inVersions = results.flatMap(([what, more]) =>
  ['0.2.0', '0.4.0', '1.0.0'].flatMap((cniVersion) =>
    cniVersion === '0.2.0' && !('ipam' in more) ? [] : [{ what, more, cniVersion }],
  ),
);

describe.each(inVersions)('the result in version $cniVersion $what', ({ more, cniVersion }) => {
  test(
    'is the same',
    async () => {
      const container = createContainer();
      const call = { plugin, config: { ...configOf(more), cniVersion }, container, ifname };
      const theirs = await add<AddResult>({ ...call, binDirectory: reference });
      await del({ ...call, binDirectory: reference });
      const ours = await add<AddResult>(call);
      expect(comparable(ours)).toEqual(comparable(theirs));
    },
    limit(20),
  );
});

/** The reference prints a `dns` that says nothing as an empty object. */
function comparable({ dns = {}, ...result }: AddResult): object {
  return { ...result, dns };
}
