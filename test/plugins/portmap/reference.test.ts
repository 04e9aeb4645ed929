/** A node that is switched from the reference plugins while containers run: DEL removes what those had written. */
// packages: containernetworking-plugins iptables
import { afterEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { type Container, createContainer } from '../../support/container.ts';
import { type AddResult, add, del } from '../../support/plugin.ts';
import { reference } from '../../support/reference.ts';
import { serve } from '../../support/traffic.ts';
import { answers, cleanUp, createWorld, imagine, nft, node4, portmapConfig, unpublish } from './network.ts';

afterEach(async () => {
  await cleanUp();
  await nft('flush', 'ruleset');
});

const mappings = [
  { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
  { hostPort: 8080, containerPort: 80, protocol: 'udp' },
];
const bridge = {
  cniVersion: '1.0.0',
  name: 'cni0',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipMasq: true,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.88.9.0/24' }], [{ subnet: 'fd88:9::/64' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  },
};

/** The chain of the reference plugins. */
async function attachByReference(
  name: string,
  id: number,
): Promise<{ container: Container; result: AddResult; config: object }> {
  const container = createContainer(name);
  const result = await add({ plugin: 'bridge', container, config: bridge, binDirectory: reference });
  const own = mappings.map((mapping) => ({ ...mapping, hostPort: mapping.hostPort + id }));
  const config = { ...portmapConfig('cni0', result, { mappings: own }), cniVersion: '1.0.0' };
  await add({ plugin: 'portmap', container, config, binDirectory: reference });
  return { container, result, config };
}

test('a new container gets the port although the reference’s old one still has it', async () => {
  const world = await createWorld();
  const old = await attachByReference('old', 0);
  await serve(old.container.netns, 'tcp', 80, 'old');
  expect(await answers(world, 'tcp', node4, 8080)).toBe('old');
  const container = createContainer('new');
  const result = await add({ plugin: 'bridge', container, config: bridge });
  const config = portmapConfig('cni0', result, { mappings });
  await add({ plugin: 'portmap', container, config });
  await serve(container.netns, 'tcp', 80, 'new');
  expect(await answers(world, 'tcp', node4, 8080)).toBe('new');
});

test('DEL removes the rules of the nftables backend, by the container’s id', async () => {
  const rules = (id: string) => `
    add rule ip cni_hostport hostports tcp dport 8080 dnat to 10.99.0.1:80 comment "${id}"
    add rule ip cni_hostport hostip_hostports ip daddr 192.0.2.1 tcp dport 8081 dnat to 10.99.0.1:80 comment "${id}"
    add rule ip cni_hostport masquerading ip saddr 10.99.0.1 ip daddr 10.99.0.1 masquerade comment "${id}"`;
  await nft(`add table ip cni_hostport
    add chain ip cni_hostport hostports
    add chain ip cni_hostport hostip_hostports
    add chain ip cni_hostport masquerading { type nat hook postrouting priority 100; }${rules('kept')}`);
  const before = await nft('list', 'ruleset');
  await nft(rules('one'));
  const one = imagine('one', 1, { mappings });
  await unpublish(one, { ...one.config, runtimeConfig: undefined });
  expect(await nft('list', 'ruleset')).not.toBe(before);
  await unpublish(one);
  expect(await nft('list', 'ruleset')).toBe(before);
});

test('DEL of bridge removes its rule of the nftables backend, by a digest of network, interface and container', async () => {
  const digest = (text: string) => createHash('sha512').update(text).digest('hex').slice(0, 16);
  const rule = (id: string) =>
    `add rule inet cni_plugins_masquerade masq_checks ip saddr 10.99.0.1 ip daddr != 10.99.0.0/16 masquerade comment "${digest('cni0')}-${digest(`eth0:${id}`)}, net: cni0, if: eth0, id: ${id}"`;
  await nft(`add table inet cni_plugins_masquerade
    add chain inet cni_plugins_masquerade masq_checks
    ${rule('kept')}`);
  const before = await nft('list', 'ruleset');
  await nft(rule('one'));
  const container = createContainer('one');
  await del({ plugin: 'bridge', container, config: bridge });
  expect(await nft('list', 'ruleset')).toBe(before);
});
