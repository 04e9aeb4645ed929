/** CHECK passes after ADD; each thing that is taken away is named. */
import { afterEach, describe, expect, test } from 'bun:test';
import { inNetns } from '../../support/container.ts';
import { check, failure } from '../../support/plugin.ts';
import { type Attached, attach, detachAll, network } from './network.ts';

afterEach(detachAll);

/** Everything that the first kernel can do, at once. */
const everything = () =>
  network({
    isDefaultGateway: true,
    ipMasq: true,
    macspoofchk: true,
    promiscMode: true,
    portIsolation: true,
    mtu: 1400,
  });

test.each([
  ['everything', () => everything()],
  ['hairpin', () => network({ hairpinMode: true })],
  ['layer 2', () => network({ ipam: undefined })],
  ['version 0.4.0', () => ({ ...everything(), cniVersion: '0.4.0' })],
  ['version 1.0.0', () => ({ ...everything(), cniVersion: '1.0.0' })],
])('passes after ADD: %s', async (_what, config) => {
  const { call } = await attach(config());
  await check(call);
  await check(call);
});

/** A command line, in the container if it begins with `@`; N stands for the host side, B for the bridge, 4 and 6 for addresses. */
const damages: [what: string, command: string, message: RegExp][] = [
  ['the interface is down', '@ip link set eth0 down', /interface eth0 is down/],
  ['the interface is gone', '@ip link delete eth0', /interface eth0 does not exist in \/run\/netns/],
  [
    'the interface is of another kind',
    '@ip link set eth0 down name old; @ip link add eth0 type ifb',
    /interface eth0 is a link of kind ifb, not a veth/,
  ],
  ['an IPv4 address', '@ip address delete 4/24 dev eth0', /interface eth0 has no address 4\/24/],
  ['an IPv6 address', '@ip address delete 6/64 dev eth0', /interface eth0 has no address 6\/64/],
  ['the IPv4 default route', '@ip route delete default', /no route to 0\.0\.0\.0\/0 by [0-9.]+ on eth0/],
  ['the IPv6 default route', '@ip -6 route delete default', /no route to ::\/0 by [0-9a-f:]+ on eth0/],
  [
    "the container's hardware address",
    '@ip link set eth0 address 02:00:00:00:00:01',
    /interface eth0 has hardware address 02:00:00:00:00:01, the result of ADD says fa:/,
  ],
  ["the container's MTU", '@ip link set eth0 mtu 1300', /interface eth0 has MTU 1300, `mtu` says 1400/],
  ["the port's MTU", 'ip link set N mtu 1300', /bridge port N has MTU 1300/],
  [
    "the port's hardware address",
    'ip link set N address 02:00:00:00:00:01',
    /bridge port N has hardware address 02:/,
  ],
  ['the port is down', 'ip link set N down', /bridge port N is down/],
  ['the port has left the bridge', 'ip link set N nomaster', /link N is no port of bridge B/],
  ['hairpin mode', 'bridge link set dev N hairpin on', /bridge port N has hairpin mode on/],
  ['isolation', 'bridge link set dev N isolated off', /bridge port N has isolation off/],
  ['the host side is gone', 'ip link delete N', /interface eth0 does not exist/],
  ['the bridge is down', 'ip link set B down', /bridge B is down/],
  ['the bridge is gone', 'ip link delete B', /bridge B does not exist/],
  [
    'the bridge is of another kind',
    'ip link delete B; ip link add B type ifb',
    /B is a link of kind ifb, not a bridge/,
  ],
  [
    "the bridge's hardware address",
    'ip link set B address 02:00:00:00:00:01',
    /bridge B has hardware address 02:/,
  ],
  ['promiscuous mode', 'ip link set B promisc off', /bridge B is not in promiscuous mode/],
  ['a gateway address', 'ip address flush dev B', /B has no address [0-9.]+\/24, the containers' gateway/],
];

describe('names what is missing or changed', () => {
  test.each(damages)('%s', async (_what, commands, message) => {
    const attached = await attach(everything());
    for (const command of commands.split('; ')) await damage(attached, command);
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    expect(error.code).toBe(102);
    expect(`${error.msg}; ${error.details ?? ''}`).toMatch(new RegExp(fill(attached, message.source)));
  });

  test("the container's side leads elsewhere", async () => {
    const attached = await attach(network());
    const { netns } = attached.container;
    const mac = attached.result.interfaces?.[2]?.mac ?? '';
    await inNetns(netns, ['ip', 'link', 'delete', 'eth0']);
    await inNetns(netns, ['ip', 'link', 'add', 'eth0', 'address', mac, 'type', 'veth', 'peer', 'name', 'x']);
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    expect(`${error.msg}; ${error.details}`).toContain('no link of the node leads to interface eth0');
  });

  test('the reservation', async () => {
    const attached = await attach(network());
    await Bun.$`rm -rf /var/lib/cni/networks/${attached.config.name}`;
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    expect(error.msg).toContain('host-local');
  });

  test('several at once', async () => {
    const attached = await attach(everything());
    await damage(attached, 'ip link set N nomaster');
    await damage(attached, '@ip address delete 4/24 dev eth0');
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    const text = `${error.msg}; ${error.details}`;
    expect(text).toContain(`link ${attached.hostName} is no port`);
    expect(text).toContain('interface eth0 has no address');
  });

  test('the namespace is gone', async () => {
    const attached = await attach(network());
    attached.container.remove();
    const error = await failure({ ...attached.call, command: 'CHECK', ifname: 'eth0' });
    expect(error).toMatchObject({ code: 8 });
  });
});

function fill({ hostName, config, addresses: [four = '', six = ''] }: Attached, text: string): string {
  return text
    .replaceAll(/\bN\b/g, hostName)
    .replaceAll(/\bB\b/g, config.bridge)
    .replaceAll(/(?<= )4(?=\\?\/)/g, four)
    .replaceAll(/(?<= )6(?=\\?\/)/g, six);
}

async function damage(attached: Attached, command: string): Promise<void> {
  const inside = command.startsWith('@');
  const argv = fill(attached, inside ? command.slice(1) : command).split(' ');
  const netns = inside ? attached.container.netns : '/proc/self/ns/net';
  expect(await inNetns(netns, argv)).toMatchObject({ exitCode: 0, stderr: '' });
}
