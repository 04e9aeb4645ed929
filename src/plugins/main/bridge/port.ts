/** A container's pair of links: one side a port of the bridge, the other in the container. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import type { Request } from '../../../kernel/netlink/message.ts';
import { changeBridgePortRequest } from '../../../kernel/rtnetlink/bridge-port.ts';
import { addBridgeVlansRequest, deleteBridgeVlansRequest } from '../../../kernel/rtnetlink/bridge-vlan.ts';
import { getLink, type Link, type LinkIdentity } from '../../../kernel/rtnetlink/link.ts';
import { createLink, deleteLink } from '../../../kernel/rtnetlink/link-change.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { type BridgeConfig, trunkVlans } from './config.ts';

/** A pair of links to be made. */
export interface Pair {
  readonly hostName: string;
  readonly hostMac: MacAddress;
  readonly peerName: string;
  readonly peerMac?: MacAddress | undefined;
  /** The descriptor of the peer's namespace; this one when absent. */
  readonly netns?: number | undefined;
}

/** What a port of the bridge is to be. */
export type PortConfig = Pick<BridgeConfig, 'vlan' | 'preserveDefaultVlan' | 'mtu'> & {
  readonly vlanTrunk?: BridgeConfig['vlanTrunk'] | undefined;
  readonly hairpinMode: boolean;
  readonly portIsolation: boolean;
};

/**
 * Makes the pair, its host side up and a port of the bridge. Creation, port and up are one message, so a process
 * that is killed leaves either nothing or a whole port.
 */
export function createPort(node: Connection, bridge: Link, pair: Pair, config: PortConfig): LinkIdentity {
  const mtu = config.mtu > 0 ? { mtu: config.mtu } : {};
  try {
    createLink(node, {
      kind: 'veth',
      name: pair.hostName,
      mac: pair.hostMac,
      master: bridge.index,
      up: true,
      ...mtu,
      data: { peer: { name: pair.peerName, mac: pair.peerMac, netns: pair.netns, ...mtu } },
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
    throw new CniError(
      'invalidEnvironment',
      `link ${pair.hostName} or its peer ${pair.peerName} exists already`,
      'an earlier ADD of this attachment was not followed by DEL',
    );
  }
  const port = getLink(node, pair.hostName);
  if (port === undefined)
    throw new CniError('tryAgainLater', `link ${pair.hostName} was removed by someone while it was set up`);
  node.requestAll([...portRequests(port, config), ...vlanRequests(port, config)]);
  return port;
}

function portRequests(port: LinkIdentity, { hairpinMode, portIsolation }: PortConfig): Request[] {
  // Off is how a new port is.
  if (!hairpinMode && !portIsolation) return [];
  return [changeBridgePortRequest(port, { hairpin: hairpinMode, isolated: portIsolation })];
}

/** The default vlan goes or stays, the own vlan is untagged, a trunk's are tagged; a trunk without one keeps vlan 1 so. */
function vlanRequests(port: LinkIdentity, config: PortConfig): Request[] {
  const trunk = config.vlanTrunk === undefined ? [] : trunkVlans(config.vlanTrunk);
  if (config.vlan === 0 && trunk.length === 0) return [];
  const native = config.vlan === 0 ? 1 : config.vlan;
  return [
    ...(config.preserveDefaultVlan ? [] : [deleteBridgeVlansRequest({ port }, { first: 1, last: 4094 })]),
    addBridgeVlansRequest({ port }, { first: native, pvid: true, untagged: true }),
    ...trunk.filter((id) => id !== native).map((id) => addBridgeVlansRequest({ port }, { first: id })),
  ];
}

/** Deletes a link with its peer; none is as good. */
export function deleteLinkIfThere(connection: Connection, name: string): void {
  try {
    deleteLink(connection, name);
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

/** How long a port may take until its operational state is up, in milliseconds. */
const portUpTimeout = 2500;

/** Waits until the port is operationally up: before, the bridge drops the container's packets. */
export async function waitForPort(node: Connection, name: string): Promise<void> {
  const deadline = Date.now() + portUpTimeout;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const state = getLink(node, name)?.operState;
    if (state === 'up') return;
    if (Date.now() >= deadline) {
      throw new CniError(
        'tryAgainLater',
        `bridge port ${name} is ${state ?? 'gone'} after ${portUpTimeout} ms, it must be up`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
