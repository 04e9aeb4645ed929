/**
 * The gateway of a network that is a vlan of its bridge: an interface BRIDGE.VLAN on the host, which is one side of
 * a pair whose other side is a port in that vlan. As the reference makes it, so that either can use the other's.
 */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getBridgeVlans } from '../../../kernel/rtnetlink/bridge-vlan.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink, createLink } from '../../../kernel/rtnetlink/link-change.ts';
import { macFromBytes } from '../../../lib/mac.ts';
import { sha256 } from '../../../plugin/hash.ts';
import { type BridgeConfig, vlanLinkName } from './config.ts';
import { setPortVlans } from './port-vlans.ts';

/** The interface of the bridge's vlan, existing and up. Shared by the network's attachments and never removed. */
export function ensureVlanGateway(node: Connection, bridge: Link, config: BridgeConfig): Link {
  const name = vlanLinkName(config);
  const link = getLink(node, name) ?? createVlanGateway(node, bridge, name);
  ensurePortVlan(node, bridge, link, config);
  if (!link.flags.up) changeLink(node, link, { up: true });
  return link;
}

/** Many ADDs may come at once: the one that is too late takes the other's. */
function createVlanGateway(node: Connection, bridge: Link, name: string): Link {
  const digest = sha256(name);
  try {
    createLink(node, {
      kind: 'veth',
      name: `veth${digest.subarray(0, 4).toHex()}`,
      mac: macFromBytes(Uint8Array.of(0xfe, ...digest.subarray(4, 9))),
      master: bridge.index,
      up: true,
      mtu: bridge.mtu,
      data: { peer: { name, mtu: bridge.mtu } },
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
  }
  const link = getLink(node, name);
  if (link !== undefined) return link;
  throw new CniError('tryAgainLater', `link ${name} was removed by someone while it was set up`);
}

/** Each time, for an ADD may have been killed between the pair and the vlan of its port. */
function ensurePortVlan(node: Connection, bridge: Link, link: Link, config: BridgeConfig): void {
  const port =
    link.kind === 'veth' && link.parent !== undefined && link.parentNetnsId === undefined
      ? getLink(node, link.parent)
      : undefined;
  if (port?.master !== bridge.index) {
    throw new CniError(
      'invalidConfig',
      `link ${link.name} exists and leads to no port of bridge ${bridge.name}, so it cannot be the gateway of \`vlan\` ${config.vlan}`,
      'remove it, or name another `bridge`',
    );
  }
  const vlans = getBridgeVlans(node, { port });
  if (vlans.some(({ id, pvid }) => pvid && id === config.vlan)) return;
  setPortVlans(node, port, { ...config, vlanTrunk: undefined });
}
