/** Ports of bridges: their settings as `ip link set type bridge_slave` makes them. */
// packages: iproute2
import { afterEach, describe, expect, test } from 'bun:test';
import { rtnetlink as r } from '../../src/kernel/index.ts';
import { iproute, show, until } from './iproute.ts';
import { connection, link, mac, peerMac, removeLinks } from './links.ts';

afterEach(removeLinks);

describe('bridge ports', () => {
  const settings = [
    ['priority 5', { priority: 5 }],
    ['cost 1234', { cost: 1234 }],
    ['hairpin on', { hairpin: true }],
    ['guard on', { bpduGuard: true }],
    ['root_block on', { rootBlock: true }],
    ['fastleave on', { fastLeave: true }],
    ['learning off', { learning: false }],
    ['flood off', { unicastFlood: false }],
    ['proxy_arp on', { proxyArp: true }],
    ['mcast_flood off', { multicastFlood: false }],
    ['bcast_flood off', { broadcastFlood: false }],
    ['neigh_suppress on', { neighbourSuppress: true }],
    ['isolated on', { isolated: true }],
    ['locked on', { locked: true }],
  ] as const satisfies readonly (readonly [string, r.BridgePortSettings])[];

  test.each(settings)('%s, as `ip link set type bridge_slave` does', async (words, setting) => {
    const make = `ip link add v1 address ${mac} master sw1 type veth peer name v2 address ${peerMac}`;
    await iproute('ip link add sw1 type bridge stp_state 0');
    await iproute(make);
    await iproute(`ip link set v1 type bridge_slave ${words}`);
    const wanted = await show('ip -d link show v1');
    expect(link('v1').bridgePort).toMatchObject(setting);
    await iproute('ip link del v1');
    await iproute(make);
    expect(link('v1').bridgePort).not.toMatchObject(setting);
    r.changeBridgePort(connection, 'v1', setting);
    expect(await show('ip -d link show v1')).toEqual(wanted);
  });

  test('the state, which without spanning tree follows the carrier', async () => {
    await iproute('ip link add sw1 up type bridge');
    await iproute('ip link add v1 master sw1 up type veth peer name v2');
    const states = async () => [
      link('v1').bridgePort?.state,
      ...((await show('bridge -d link show dev v1')) as { state?: string }[]).map(({ state }) => state),
    ];
    await until('disabled', async () => Bun.deepEquals(await states(), ['disabled', 'disabled']));
    await iproute('ip link set v2 up');
    await until('forwarding', async () => Bun.deepEquals(await states(), ['forwarding', 'forwarding']));
  });

  test('a link that is no port: one error', async () => {
    await iproute('ip link add v1 type veth peer name v2');
    expect(() => r.changeBridgePort(connection, 'v1', { hairpin: true })).toThrow(
      'set bridge port options {"hairpin":true} on link v1',
    );
  });
});
