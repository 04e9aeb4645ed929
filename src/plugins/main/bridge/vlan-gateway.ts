/**
 * The gateway of a network that is a vlan of its bridge: an interface BRIDGE.VLAN on the host, which is one side of
 * a pair whose other side is a port in that vlan. As the reference makes it, so that either can use the other's.
 */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { macFromBytes } from '../../../lib/mac.ts';
import { sha256 } from '../../shared/hash.ts';
import { type BridgeConfig, vlanLinkName } from './config.ts';
import { createPort } from './port.ts';

/** The interface of the bridge's vlan, existing and up. Shared by the network's attachments and never removed. */
export function ensureVlanGateway(node: Connection, bridge: Link, config: BridgeConfig): Link {
  const name = vlanLinkName(config);
  if (getLink(node, name) === undefined) {
    const digest = sha256(name);
    createPort(
      node,
      bridge,
      {
        hostName: `veth${digest.subarray(0, 4).toHex()}`,
        hostMac: macFromBytes(Uint8Array.of(0xfe, ...digest.subarray(4, 9))),
        peerName: name,
      },
      { ...config, vlanTrunk: undefined, hairpinMode: false, portIsolation: false },
    );
  }
  const link = getLink(node, name);
  if (link === undefined)
    throw new CniError('tryAgainLater', `link ${name} was removed by someone while it was set up`);
  if (!link.flags.up) changeLink(node, link, { up: true });
  return link;
}
