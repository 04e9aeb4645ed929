/** What ADD refuses: one clear error with the right code, and nothing changed on the node or in the container. */
import { afterEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { type Container, createContainer, inNetns, ip } from '../../support/container.ts';
import { diff, snapshot } from '../../support/node.ts';
import { failure, type NamedCall, type PluginError } from '../../support/plugin.ts';
import { attach, detachAll, network, staticIpam } from './network.ts';

afterEach(detachAll);

/**
 * What may be new: host-local's own files (a lock, an index), and the link-local address of an earlier test's bridge,
 * which comes when detection of duplicates is done with it.
 */
const lasting = /^file \/var\/lib\/cni|"fe80:/;

/** The error of an ADD that must change nothing. */
async function refused(call: Partial<NamedCall> & { container: Container }): Promise<PluginError> {
  const inside = () => ip(call.container.netns, 'address');
  const before = await snapshot();
  const insideBefore = await inside();
  const error = await failure({ plugin: 'bridge', command: 'ADD', ifname: 'eth0', ...call });
  expect(diff(before, await snapshot(), lasting)).toEqual([]);
  expect(await inside()).toEqual(insideBefore);
  return error;
}

describe('options that contradict each other, or that are not what they should be', () => {
  test.each([
    ['hairpinMode and promiscMode', { hairpinMode: true, promiscMode: true }, '`hairpinMode`'],
    [
      'ipam and disableContainerInterface',
      { disableContainerInterface: true },
      '`disableContainerInterface`',
    ],
    ['a vlan over 4094', { vlan: 4095 }, '`vlan`'],
    ['a negative vlan', { vlan: -1 }, '`vlan`'],
    ['a trunk without maxID', { vlanTrunk: [{ minID: 5 }] }, '`vlanTrunk[0]`'],
    ['a trunk that ends before it begins', { vlanTrunk: [{ minID: 5, maxID: 4 }] }, '`vlanTrunk[0]`'],
    ['a trunk of vlan 0', { vlanTrunk: [{ id: 0 }] }, '`vlanTrunk[0].id`'],
    ['a trunk of nothing', { vlanTrunk: [{}] }, '`vlanTrunk[0]`'],
    ['an mtu in a text', { mtu: '1500' }, '`mtu`'],
    ['an mtu that no link has', { mtu: 70_000 }, '`mtu`'],
    ['a bridge name of 16 bytes', { bridge: 'bridge0123456789' }, '`bridge`'],
    ['a bridge name with a slash', { bridge: 'a/b' }, '`bridge`'],
    ['no bridge name', { bridge: '' }, '`bridge`'],
    ['a back end that there is none of', { ipMasqBackend: 'ebtables' }, '`ipMasqBackend`'],
    [
      'a vlan gateway whose name is too long',
      { bridge: 'bridge012345', vlan: 100, isGateway: true },
      '`bridge`',
    ],
  ])('%s', async (_what, keys, field) => {
    const error = await refused({ config: network(keys), container: createContainer() });
    expect(error.code).toBe(7);
    expect(error.msg).toContain(`${field} of plugin \`bridge\``);
  });
});

test.each([
  ['dummy', 'ifb'],
  ['veth', 'veth'],
])('a bridge name that belongs to another kind of link: %s', async (_what, kind) => {
  const config = network({ isGateway: true });
  await Bun.$`ip link add ${config.bridge} type ${kind}`;
  const error = await refused({ config, container: createContainer() });
  expect(error.code).toBe(7);
  expect(error.msg).toContain(`"${config.bridge}" exists and is a link of kind ${kind}, not a bridge`);
  await Bun.$`ip link delete ${config.bridge}`;
});

test('a bridge name that belongs to lo', async () => {
  const error = await refused({ config: network({ bridge: 'lo' }), container: createContainer() });
  expect(error.msg).toContain('"lo" exists and is a link without a kind');
});

test('an interface that the container has already', async () => {
  const config = network();
  const { container } = await attach(config);
  const error = await refused({ config, container });
  expect(error.code).toBe(4);
  expect(error.msg).toContain(`interface eth0 exists already in ${container.netns}`);
});

test('an interface of another kind that has the name: it stays, DEL afterwards too', async () => {
  const config = network();
  const container = createContainer();
  await inNetns(container.netns, ['ip', 'link', 'add', 'eth0', 'type', 'ifb']);
  await refused({ config, container });
});

test('the same attachment again in another namespace: the first one stays', async () => {
  const config = network({ ipam: undefined });
  const first = await attach(config);
  const second = createContainer();
  const error = await refused({ config, container: second, containerId: first.container.id });
  expect(error.code).toBe(4);
  expect(error.msg).toContain(`link ${first.hostName} of this attachment exists already`);
});

test("another's link that has the host side's name is left alone", async () => {
  const config = network();
  const probe = await attach(config);
  await Bun.$`ip link delete ${probe.hostName}`;
  await Bun.$`ip link add ${probe.hostName} address 02:00:00:00:00:99 type veth peer name other`;
  const container = probe.container;
  const ipam = staticIpam([`${config.gateway4}7/24`]);
  const error = await refused({ config: { ...config, ipam }, container });
  expect(error.code).toBe(11);
  expect(error.msg).toContain(`${probe.hostName} exists already and is another attachment's`);
  expect(error.msg).toContain('02:00:00:00:00:99');
  await Bun.$`ip link delete ${probe.hostName}`;
});

describe('a namespace that is none', () => {
  test.each([
    ['no file', '/run/netns/none', 'does not exist'],
    ['a plain file', '/run/plain', 'plain file'],
    ['a directory', '/run/netns', 'directory'],
    ['a namespace of another kind', '/proc/self/ns/mnt', 'another kind'],
  ])('%s', async (_what, netns, words) => {
    writeFileSync('/run/plain', '');
    const error = await refused({ config: network(), container: createContainer(), netns });
    expect(error.code).toBe(8);
    expect(error.msg).toContain(netns);
    expect(error.msg).toContain(words);
  });
});

describe('what the IPAM plugin says', () => {
  test('no address is left', async () => {
    const base = network();
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.250.0.0/30' }]] };
    await attach({ ...base, ipam });
    const error = await refused({ config: { ...base, ipam }, container: createContainer() });
    expect(error.msg).toContain('host-local');
    expect(error.msg).toMatch(/10\.250\.0/);
  });

  test('its own configuration is wrong', async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.250.0.0' }]] };
    const error = await refused({ config: network({ ipam }), container: createContainer() });
    expect(error.code).toBe(7);
    expect(error.msg).toContain('`subnet` must be a network');
  });

  test('there is none of that type', async () => {
    const error = await refused({
      config: network({ ipam: { type: 'none' } }),
      container: createContainer(),
    });
    expect(error.msg).toContain('none');
    expect(error.msg).toContain('cannot find an executable');
  });
});
