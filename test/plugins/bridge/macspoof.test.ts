/** macspoofchk: only frames with the container's own hardware address leave its port. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { inNetns } from '../../support/container.ts';
import { diff, snapshot } from '../../support/node.ts';
import { check, del, failure, gc } from '../../support/plugin.ts';
import { ping } from '../../support/traffic.ts';
import { type Attached, attach, detachAll, network } from './network.ts';

beforeEach(async () => {
  await Bun.$`nft delete table bridge fairlead`.nothrow().quiet();
});
afterEach(detachAll);

/** Pings after the container has taken another hardware address. The address is changed back. */
async function pingWithOtherMac({ container, result }: Attached, address: string): Promise<boolean> {
  const set = (mac: string) => inNetns(container.netns, ['ip', 'link', 'set', 'eth0', 'address', mac]);
  await set('02:00:00:00:00:66');
  try {
    return await ping(container.netns, address, 1);
  } finally {
    await set(result.interfaces?.[2]?.mac ?? '');
  }
}

test('frames with another source address are dropped, those with its own pass', async () => {
  const config = network({ macspoofchk: true, isGateway: true });
  const one = await attach(config);
  expect(await ping(one.container.netns, config.gateway4)).toBe(true);
  for (const gateway of [config.gateway4, config.gateway6]) {
    expect(await pingWithOtherMac(one, gateway)).toBe(false);
    expect(await ping(one.container.netns, gateway)).toBe(true);
  }
  await check(one.call);
});

test('without it they pass', async () => {
  const config = network({ isGateway: true });
  const one = await attach(config);
  expect(await pingWithOtherMac(one, config.gateway4)).toBe(true);
});

test("a container cannot take its neighbour's address, and others are not concerned", async () => {
  const config = network({ macspoofchk: true, isGateway: true });
  const [one, two] = [await attach(config), await attach({ ...config, macspoofchk: false })];
  const mac = two.result.interfaces?.[2]?.mac ?? '';
  await inNetns(one.container.netns, ['ip', 'link', 'set', 'eth0', 'address', mac]);
  expect(await ping(one.container.netns, config.gateway4, 1)).toBe(false);
  expect(await pingWithOtherMac(two, config.gateway4)).toBe(true);
});

test('an address that was asked for is the one that may be used', async () => {
  const mac = '02:00:00:00:00:55';
  const config = network({ macspoofchk: true, isGateway: true, runtimeConfig: { mac } });
  const one = await attach(config);
  expect(await ping(one.container.netns, config.gateway4)).toBe(true);
  expect(await pingWithOtherMac(one, config.gateway4)).toBe(false);
});

test('on layer 2 alone too', async () => {
  const config = network({ macspoofchk: true, ipam: undefined });
  const one = await attach(config);
  await Bun.$`ip address add 10.99.0.1/24 dev ${config.bridge}`;
  await inNetns(one.container.netns, ['ip', 'address', 'add', '10.99.0.2/24', 'dev', 'eth0']);
  expect(await ping(one.container.netns, '10.99.0.1')).toBe(true);
  expect(await pingWithOtherMac(one, '10.99.0.1')).toBe(false);
});

test('DEL and GC remove what belongs to a container, and nothing else', async () => {
  const config = network({ macspoofchk: true, isGateway: true });
  const first = await attach(config);
  const before = await snapshot();
  const [second, third] = [await attach(config), await attach(config)];
  await del(second.call);
  const valid = [{ containerID: first.container.id, ifname: 'eth0' }];
  await gc({ plugin: 'bridge', config: { ...config, 'cni.dev/valid-attachments': valid } });
  expect(diff(before, await snapshot()).filter((line) => line.includes(' nft '))).toEqual([]);
  expect(third.hostName).not.toBe('');
  expect(await pingWithOtherMac(first, config.gateway4)).toBe(false);
});

test('CHECK names a missing element and a missing rule', async () => {
  const one = await attach(network({ macspoofchk: true }));
  const mac = one.result.interfaces?.[2]?.mac ?? '';
  await Bun.$`nft delete element bridge fairlead macspoof-allowed ${`{ ${one.hostName} . ${mac} }`}`;
  const element = await failure({ ...one.call, command: 'CHECK', ifname: 'eth0' });
  expect(element).toMatchObject({ code: 102 });
  expect(element.msg).toContain(`hardware address check of port ${one.hostName}`);
  await Bun.$`nft flush chain bridge fairlead macspoof`;
  const rule = await failure({ ...one.call, command: 'CHECK', ifname: 'eth0' });
  expect(`${rule.msg} ${rule.details}`).toContain('has no rule "own address"');
});
