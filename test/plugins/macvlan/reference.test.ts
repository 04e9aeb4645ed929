/** Beside the reference's macvlan and ptp: the same results, and each can go on with what the other one attached. */
// packages: containernetworking-plugins iptables iproute2 iputils-ping
// seconds: 60
import { afterEach, beforeEach, describe, expect } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { type AddResult, add, binDirectory, check, del } from '../../support/plugin.ts';
import { reference, testWithReference } from '../../support/reference.ts';
import { makeSegment, neighbour, removeSegment } from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';

const test = testWithReference('macvlan');

beforeEach(() => makeSegment());
afterEach(removeSegment);

const routes = [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: neighbour.ip4 }];
const configs = {
  macvlan: (last: number) => ({
    master: 'eth0',
    mtu: 1400,
    ipam: addressed(`10.50.0.${last}/24`, neighbour.ip4),
  }),
  ptp: (last: number) => ({ mtu: 1400, ipMasq: true, ipam: addressed(`10.51.0.${last}/24`, neighbour.ip4) }),
} as const;

function addressed(address: string, gateway: string): object {
  const own = address.startsWith('10.50.') ? gateway : '10.51.0.1';
  return {
    type: 'static',
    addresses: [{ address, gateway: own }],
    routes: routes.map((route) => ('gw' in route ? { ...route, gw: own } : route)),
  };
}

/** Without what differs by chance. */
function comparable({ interfaces, ...rest }: AddResult): unknown {
  const named = interfaces?.map(({ name, sandbox }) => [
    name.replace(/^veth.*/, 'HOST'),
    sandbox !== undefined,
  ]);
  return { dns: {}, ...rest, interfaces: named };
}

/** The container's addresses, routes and MTU. */
async function insideOf(netns: string): Promise<unknown> {
  const [link = {}] = await ip(netns, 'link', 'show', 'eth0');
  const found = await ip(netns, '-4', 'route');
  return [link.mtu, found.map((route) => JSON.stringify({ ...route, flags: [] })).sort()];
}

describe.each(Object.keys(configs) as (keyof typeof configs)[])('%s', (plugin) => {
  const config = { cniVersion: '1.0.0', name: 'both', type: plugin, ...configs[plugin](9) };

  test('the same result and the same in the container', async () => {
    const seen = [];
    for (const directory of [reference, binDirectory]) {
      const container = createContainer();
      const call = { plugin, config, container, binDirectory: directory };
      const result = await add(call);
      seen.push([comparable(result), await insideOf(container.netns)]);
      await del({ ...call, config: { ...config, prevResult: result } });
      container.remove();
    }
    expect(seen[1]).toEqual(seen[0] ?? []);
  });

  const ways = [
    ['ADD by the reference, CHECK and DEL by Fairlead', reference, binDirectory],
    ['ADD by Fairlead, CHECK and DEL by the reference', binDirectory, reference],
  ] as const;
  for (const [what, first, second] of ways) {
    test(what, async () => {
      const before = (await ip(undefined, 'link')).length;
      const container = createContainer();
      const prevResult = await add({ plugin, config, container, binDirectory: first });
      if (plugin === 'macvlan') expect(await ping(container.netns, neighbour.ip4)).toBe(true);
      // The reference's DEL asks iptables for a chain of its own, and fails where there is none: not for masqueraded ones.
      const call = {
        plugin,
        config: { ...config, ...(second === reference && { ipMasq: false }), prevResult },
        container,
        binDirectory: second,
      };
      // Masquerading is looked for where each has it; the node's other things are alike.
      if (plugin === 'macvlan' || second === reference) await check(call);
      await del(call);
      expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
      expect((await ip(undefined, 'link')).length).toBe(before);
      const rules = await Bun.$`iptables-save -t nat`.quiet().text();
      expect(rules).not.toContain(container.id.slice(0, 20));
    });
  }
});
