/** loopback: ADD, CHECK and DEL in real namespaces, in every version. */
import { afterEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { type Container, createContainer, inNetns, ip, removeContainers } from '../support/container.ts';
import { add, check, del, failure, status, successful } from '../support/plugin.ts';
import { ping } from '../support/traffic.ts';

afterEach(removeContainers);

const config = (cniVersion = '1.1.0') => ({ cniVersion, name: 'lo', type: 'loopback' });
const call = (container: Container, cniVersion?: string) => ({
  plugin: 'loopback',
  container,
  ifname: 'lo',
  config: config(cniVersion),
});

const isUp = async ({ netns }: Container): Promise<boolean> =>
  (await ip(netns, 'link', 'show', 'up')).some(({ ifname }) => ifname === 'lo');

test('ADD sets lo up: the container reaches itself', async () => {
  const container = createContainer();
  expect(await ping(container.netns, '127.0.0.1', 1)).toBe(false);
  expect(await add(call(container))).toEqual({
    cniVersion: '1.1.0',
    interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: container.netns }],
    ips: [
      { address: '127.0.0.1/8', interface: 0 },
      { address: '::1/128', interface: 0 },
    ],
  });
  expect(await ping(container.netns, '127.0.0.1')).toBe(true);
  expect(await ping(container.netns, '::1')).toBe(true);
});

test('ADD again, and with another interface name, is no error', async () => {
  const container = createContainer();
  await add(call(container));
  await add({ ...call(container), ifname: 'eth0' });
});

test('CHECK passes after ADD, in a later version too, and says when lo is down', async () => {
  const container = createContainer();
  const prevResult = await add(call(container));
  const checked = { ...call(container), config: { ...config(), prevResult } };
  await check(checked);
  await inNetns(container.netns, ['ip', 'link', 'set', 'lo', 'down']);
  const error = await failure({ ...checked, command: 'CHECK' });
  expect(error).toMatchObject({ code: 102, msg: `interface lo is down in ${container.netns}` });
});

test('DEL sets lo down, twice as well as once, and without a namespace', async () => {
  const container = createContainer();
  await add(call(container));
  await del(call(container));
  expect(await isUp(container)).toBe(false);
  await del(call(container));
  await del({ ...call(container), netns: '' });
  container.remove();
  await del(call(container));
  writeFileSync(container.netns, '');
  await del(call(container));
});

test('in a chain the result before is passed on, in the version that is spoken', async () => {
  const container = createContainer();
  const prevResult = {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: container.netns }],
    ips: [{ address: '10.1.0.2/16', gateway: '10.1.0.1', interface: 0 }],
    routes: [{ dst: '0.0.0.0/0' }],
    dns: { nameservers: ['10.1.0.1'] },
  };
  const result = await add({ ...call(container), config: { ...config('1.0.0'), prevResult } });
  expect(result).toEqual(prevResult);
  expect(await isUp(container)).toBe(true);
});

test('an address that is no loopback address is refused', async () => {
  const container = createContainer();
  await inNetns(container.netns, ['ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo']);
  const error = await failure({ ...call(container), command: 'ADD' });
  expect(error.msg).toContain('lo has the address 192.0.2.1/32, which is no loopback address');
});

test('without IPv6 there is one address', async () => {
  const container = createContainer();
  await inNetns(container.netns, ['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1']);
  const { ips } = await add(call(container));
  expect(ips).toEqual([{ address: '127.0.0.1/8', interface: 0 }]);
});

describe('a namespace that is none', () => {
  test.each(['ADD', 'CHECK'])('%s says so', async (command) => {
    const prevResult = { cniVersion: '1.1.0' };
    const error = await failure({
      ...call(createContainer()),
      command,
      config: { ...config(), prevResult },
      netns: '/run/netns/none',
    });
    expect(error).toMatchObject({ code: 8, msg: 'CNI_NETNS /run/netns/none does not exist' });
  });
});

test('STATUS has nothing to say, VERSION names every version', async () => {
  await status({ plugin: 'loopback', config: config() });
  const { json } = await successful({ plugin: 'loopback', command: 'VERSION' });
  expect(json).toMatchObject({
    supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  });
});

describe('older versions have their own shape', () => {
  test.each(['0.3.0', '0.3.1', '0.4.0'])('%s: addresses with their family', async (version) => {
    const { ips } = await add(call(createContainer(), version));
    expect(ips).toMatchObject([
      { version: '4', address: '127.0.0.1/8', interface: 0 },
      { version: '6', address: '::1/128', interface: 0 },
    ]);
  });

  test.each(['0.1.0', '0.2.0'])('%s: ip4 and ip6', async (version) => {
    const result = await add<object>(call(createContainer(), version));
    expect(result).toMatchObject({
      cniVersion: version,
      ip4: { ip: '127.0.0.1/8' },
      ip6: { ip: '::1/128' },
    });
  });
});
