/**
 * The ifb of an attachment: what the container sends goes through it and waits there. A limit is for what leaves a link,
 * and what the container sends arrives by the node's end of its veth.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { createLink } from '../../../kernel/rtnetlink/link-change.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { identityOf, isHostMacOf } from '../../../plugin/attachment-identity.ts';
import { sha512 } from '../../../plugin/hash.ts';
import { deleteLinkIfThere, presentLink } from '../../../plugin/links.ts';

/** The reference's name: `bwp` and the first 12 digits of a hash of network and container. The interface is not in it. */
export function ifbName({ network, containerId }: Pick<Attachment, 'network' | 'containerId'>): string {
  return `bwp${sha512(network + containerId)
    .toHex()
    .slice(0, 12)}`;
}

/** Ours have an address that tells network and attachment, in no other plugin's space; the reference's have random ones. */
const firstByte = 'f2';

function ifbMac(attachment: Attachment): MacAddress {
  return firstByte + identityOf(attachment).hostMac.slice(2);
}

function isMacOfNetwork(network: string, mac: MacAddress): boolean {
  return mac.startsWith(`${firstByte}:`) && isHostMacOf(network, `fa${mac.slice(2)}`);
}

/** Creates the attachment's ifb, up; EEXIST where network and container have one. Throws NetlinkError. */
export function createIfb(node: Connection, attachment: Attachment, mtu: number): Link {
  const name = ifbName(attachment);
  createLink(node, { name, kind: 'ifb', mac: ifbMac(attachment), mtu, up: true, txQueueLength: 0 });
  return presentLink(node, name);
}

/** Removes the attachment's ifb, or the reference's of the same name; another interface's of this container stays. */
export function removeIfb(node: Connection, attachment: Attachment): void {
  const link = getLink(node, ifbName(attachment));
  if (link?.kind !== 'ifb') return;
  const isOthers = isMacOfNetwork(attachment.network, link.mac) && link.mac !== ifbMac(attachment);
  if (!isOthers) deleteLinkIfThere(node, link);
}

/** Removes the network's ifbs but the valid attachments'. Those that the reference made do not tell their network, and stay. */
export function removeOtherIfbs(node: Connection, network: string, valid: readonly ValidAttachment[]): void {
  const kept = new Set(valid.map((attachment) => ifbMac({ network, ...attachment })));
  for (const link of listLinks(node, { kind: 'ifb' })) {
    if (isMacOfNetwork(network, link.mac) && !kept.has(link.mac)) deleteLinkIfThere(node, link);
  }
}
