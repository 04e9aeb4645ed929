/** Ports of a bridge. They are read with their link: `Link.bridgePort`. */
import type { Connection } from '../netlink/connection.ts';
import type { Request } from '../netlink/message.ts';
import { type BridgePortSettings, encodeBridgePort } from './bridge-port-data.ts';
import type { LinkRef } from './link.ts';
import { address, nameOf } from './link-change.ts';
import { linkMessage, RTM_NEWLINK } from './link-message.ts';

/**
 * Changes settings of a link as its bridge's port. The link must be a port already: after its master is set, in
 * an earlier message. By name it can stand in the batch that does so. EOPNOTSUPP when it has no master.
 */
export function changeBridgePortRequest(link: LinkRef, settings: BridgePortSettings): Request {
  const { header, name } = address(link);
  return {
    operation: `set bridge port options ${JSON.stringify(settings)} on link ${nameOf(link)}`,
    type: RTM_NEWLINK,
    body: linkMessage.encode(header, {
      name,
      info: { slaveKind: 'bridge', slaveData: encodeBridgePort(settings) },
    }),
  };
}

/** Sends changeBridgePortRequest. Throws NetlinkError. */
export function changeBridgePort(connection: Connection, link: LinkRef, settings: BridgePortSettings): void {
  connection.request(changeBridgePortRequest(link, settings));
}
