/**
 * ipMasq: what containers send out of their network has the node's address. "Outside" is a namespace joined by a
 * veth, with a server that tells whose address it saw.
 */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type Container, createContainer, inNetns, ip, removeContainers } from '../../support/container.ts';
import { diff, snapshot } from '../../support/node.ts';
import { check, del, failure, gc } from '../../support/plugin.ts';
import { ask, ping, serve, stopServers } from '../../support/traffic.ts';
import { attach, type NetworkConfig, network, type Subnets } from './network.ts';

const node = { four: '192.0.2.1', six: '2001:db8::1' };
const outside = { four: '192.0.2.2', six: '2001:db8::2' };
let other: Container;

beforeEach(async () => {
  other = createContainer();
  await Bun.$`ip link add out0 type veth peer name eth0 netns ${other.netns}`;
  await Bun.$`ip address add ${node.four}/24 dev out0`;
  await Bun.$`ip address add ${node.six}/64 dev out0 nodad`;
  await Bun.$`ip link set out0 up`;
  await inNetns(other.netns, ['ip', 'address', 'add', `${outside.four}/24`, 'dev', 'eth0']);
  await inNetns(other.netns, ['ip', 'address', 'add', `${outside.six}/64`, 'dev', 'eth0', 'nodad']);
  await inNetns(other.netns, ['ip', 'link', 'set', 'eth0', 'up']);
  // So that what is not masqueraded is answered too.
  await inNetns(other.netns, ['ip', 'route', 'add', '10.0.0.0/8', 'via', node.four]);
  await inNetns(other.netns, ['ip', '-6', 'route', 'add', 'fd00::/16', 'via', node.six]);
  await serve(other.netns, 'tcp', 80, 'outside');
});
afterEach(async () => {
  await stopServers();
  await Bun.$`ip link delete out0`;
  removeContainers();
});

/** The address that the outside sees. */
async function seenFrom(netns: string, address: string): Promise<string | undefined> {
  return (await ask(netns, 'tcp', address, 80))?.source;
}

const masquerading = () => network({ isDefaultGateway: true, ipMasq: true });

test("the outside sees the node's address, IPv4 and IPv6", async () => {
  const { container, call } = await attach(masquerading());
  expect(await seenFrom(container.netns, outside.four)).toBe(node.four);
  expect(await seenFrom(container.netns, outside.six)).toBe(node.six);
  await check(call);
});

test("without ipMasq it sees the container's", async () => {
  const { container, addresses } = await attach(network({ isDefaultGateway: true }));
  expect(await seenFrom(container.netns, outside.four)).toBe(addresses[0] ?? '');
  expect(await seenFrom(container.netns, outside.six)).toBe(addresses[1] ?? '');
});

test('the back end that is named does not matter', async () => {
  const { container } = await attach({ ...masquerading(), ipMasqBackend: 'iptables' });
  expect(await seenFrom(container.netns, outside.four)).toBe(node.four);
});

test('neighbours in the network see each other', async () => {
  const config = masquerading();
  const [one, two] = [await attach(config), await attach(config)];
  await serve(two.container.netns, 'tcp', 81, 'neighbour');
  for (const [index, address] of two.addresses.entries()) {
    const answer = await ask(one.container.netns, 'tcp', address, 81);
    expect(answer?.source).toBe(one.addresses[index] ?? '');
  }
});

test('a network that is not masqueraded, beside one that is', async () => {
  const [plain, hidden] = [network({ isDefaultGateway: true }), masquerading()];
  const [one, two] = [await attach(plain), await attach(hidden)];
  expect(await seenFrom(one.container.netns, outside.four)).toBe(one.addresses[0] ?? '');
  expect(await seenFrom(two.container.netns, outside.four)).toBe(node.four);
});

test('DEL ends it: the next one with the address is not masqueraded', async () => {
  const config: NetworkConfig & Subnets = masquerading();
  const first = await attach(config);
  expect(await seenFrom(first.container.netns, outside.four)).toBe(node.four);
  await del(first.call);
  const addresses = (first.result.ips ?? []).map(({ address }) => ({ address }));
  const ipam = { type: 'static', addresses };
  const second = await attach({ ...config, ipMasq: false, ipam });
  expect(await seenFrom(second.container.netns, outside.four)).toBe(first.addresses[0] ?? '');
});

test('DEL leaves the shared rules, and nothing of the container; with the last of a network its chain goes', async () => {
  await del((await attach(masquerading())).call); // the shared rules are there from now on
  const config = masquerading();
  const before = await snapshot();
  const one = await attach(config);
  const two = await attach(config);
  await del(one.call);
  expect(await seenFrom(two.container.netns, outside.four)).toBe(node.four);
  await del(two.call);
  const left = diff(before, await snapshot()).filter((line) => line.includes(' nft '));
  expect(left).toEqual([]);
});

test('GC ends it for those that are gone, and for nobody else', async () => {
  const config = masquerading();
  const [one, two, elsewhere] = [await attach(config), await attach(config), await attach(masquerading())];
  await gc({
    plugin: 'bridge',
    config: { ...config, 'cni.dev/valid-attachments': [{ containerID: two.container.id, ifname: 'eth0' }] },
  });
  const { stdout } = Bun.spawnSync(['nft', 'list', 'ruleset']);
  expect(stdout.toString()).not.toContain(one.container.id);
  expect(await seenFrom(two.container.netns, outside.four)).toBe(node.four);
  expect(await seenFrom(elsewhere.container.netns, outside.six)).toBe(node.six);
});

test('CHECK names what is missing: an element, a rule', async () => {
  const { call, addresses } = await attach(masquerading());
  const [four = ''] = addresses;
  await Bun.$`nft delete element inet fairlead masquerade4 ${`{ ${four} }`}`;
  const element = await failure({ ...call, command: 'CHECK', ifname: 'eth0' });
  expect(element).toMatchObject({ code: 102 });
  expect(element.msg).toContain(`masquerading of ${four}`);
  await Bun.$`nft flush chain inet fairlead masquerade-postrouting`;
  const rule = await failure({ ...call, command: 'CHECK', ifname: 'eth0' });
  expect(`${rule.msg} ${rule.details}`).toContain('masquerade-postrouting has no rule "IPv4 containers"');
  await Bun.$`nft delete table inet fairlead`;
});

test('ADD that cannot masquerade undoes everything', async () => {
  await Bun.$`nft delete table inet fairlead`.nothrow().quiet();
  // A table of that name that has something else where the map should be.
  await Bun.$`nft add table inet fairlead`;
  await Bun.$`nft ${'add set inet fairlead masquerade4 { type ifname; }'}`;
  const config = masquerading();
  const container = createContainer();
  const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
  expect(error.msg).toContain('inet fairlead');
  expect(await ip(container.netns, 'link', 'show', 'type', 'veth')).toEqual([]);
  expect(await ip(undefined, 'link', 'show', 'master', config.bridge)).toEqual([]);
  const reserved = new Bun.Glob('{10.,fd}*').scanSync(`/var/lib/cni/networks/${config.name}`);
  expect([...reserved]).toEqual([]);
  await Bun.$`nft delete table inet fairlead`;
  const { container: next } = await attach(config);
  expect(await ping(next.netns, outside.four)).toBe(true);
});
