/** Beside the reference's tap: each goes on with what the other one attached, and what is in the container is alike. */
// packages: iproute2
// prepare: test/plugins/tap/reference.ts
import { afterEach, describe, expect } from 'bun:test';
import { createContainer, ip, removeContainers } from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { add, binDirectory, check, del } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { testUnless } from '../../support/unless.ts';
import { referenceWithTap, withoutReference } from './reference.ts';

const test = testUnless(withoutReference);

afterEach(removeContainers);

const ipam = {
  type: 'static',
  addresses: [{ address: '10.70.0.5/24', gateway: '10.70.0.1' }, { address: 'fd00:70::5/64' }],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.70.0.2' }],
};

/** Not `mtu` and `mac` beside both `owner` and `group`: the reference passes them over there. */
const cases: readonly (readonly [string, object])[] = [
  ['nothing', {}],
  ['IPAM', { ipam, dns: { nameservers: ['192.0.2.53'] } }],
  ['an owner, mtu and mac', { owner: 1000, mtu: 1400, mac: '02:00:00:00:00:0a', ipam }],
  ['an owner and a group', { owner: 1000, group: 1000 }],
  ['several queues', { multiQueue: true, group: 1000 }],
  ['a bridge', { bridge: 'br0' }],
];
const base = { cniVersion: '1.1.0', name: 'taps', type: 'tap' };

async function containerWithBridge() {
  const container = createContainer();
  await ip(container.netns, 'link', 'add', 'br0', 'type', 'bridge');
  return container;
}

/** What is in the container, without what is random and what whoever opens the tap says anew. */
async function inside(netns: string): Promise<unknown> {
  const [link = {}] = await ip(netns, '-d', 'link', 'show', 'eth0');
  const { pi, vnet_hdr, ...data } = (link.linkinfo as { info_data: IpObject }).info_data;
  const [{ addr_info = [] } = {}] = await ip(netns, '-4', 'address', 'show', 'eth0');
  const routes = await ip(netns, '-4', 'route');
  const queues = [link.num_tx_queues, link.qdisc];
  return [link.mtu, link.flags, link.master, queues, data, addr_info, routes];
}

describe.each(cases)('with %s', (_what, keys) => {
  const config = { ...base, ...keys };

  test(
    'the same result and the same in the container',
    async () => {
      const seen = [];
      for (const directory of [referenceWithTap, binDirectory]) {
        const container = await containerWithBridge();
        const result = await add({ plugin: 'tap', config, container, binDirectory: directory });
        const interfaces = result.interfaces?.map(({ name, mac }) => ('mac' in keys ? [name, mac] : [name]));
        seen.push([{ dns: {}, ...result, interfaces }, await inside(container.netns)]);
      }
      expect(seen[1]).toEqual(seen[0] ?? []);
    },
    limit(20),
  );

  const ways = [
    ['ADD by the reference, CHECK and DEL by Fairlead', referenceWithTap, binDirectory],
    ['ADD by Fairlead, CHECK and DEL by the reference', binDirectory, referenceWithTap],
  ] as const;
  for (const [name, first, second] of ways) {
    test(
      name,
      async () => {
        const container = await containerWithBridge();
        const prevResult = await add({ plugin: 'tap', config, container, binDirectory: first });
        const call = { plugin: 'tap', config: { ...config, prevResult }, container, binDirectory: second };
        await check(call);
        await del(call);
        await del(call);
        expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo', 'br0']);
      },
      limit(20),
    );
  }
});
