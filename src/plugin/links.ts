/** Links that a plugin makes and takes away. */
import { type Attachment, type AttachmentToRemove, CniError, type GcRequest } from '../cni/index.ts';
import type { Connection } from '../kernel/netlink/connection.ts';
import { isNetlinkError } from '../kernel/netlink/error.ts';
import { getLink, type Link, type LinkRef, listLinks } from '../kernel/rtnetlink/link.ts';
import { deleteLink } from '../kernel/rtnetlink/link-change.ts';
import { identityOf, isHostLinkOf } from './attachment-identity.ts';
import { openContainerIfThere, openNode } from './namespaces.ts';
import { runAll } from './steps.ts';

/** Deletes a link, a veth with its peer; none is as good, as DEL wants it. Throws NetlinkError. */
export function deleteLinkIfThere(connection: Connection, link: LinkRef): void {
  try {
    deleteLink(connection, link);
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

/**
 * Deletes the node's end of an attachment's veth, and so both: the link that has the name and the hardware address of
 * `identityOf`. None is as good, and another's stays. For DEL, and to undo an ADD. Throws NetlinkError.
 */
export function deleteHostLink(attachment: Attachment): void {
  const { hostName, hostMac } = identityOf(attachment);
  using node = openNode();
  const link = getLink(node, hostName);
  if (link?.kind === 'veth' && link.mac === hostMac) deleteLinkIfThere(node, link);
}

/**
 * Deletes the container's end of an attachment's veth, and so both. None is as good, and so is a namespace that is
 * gone; a link of another kind that has the interface's name is not what ADD made, and stays. For DEL. Throws NetlinkError.
 */
export function deleteContainerLink(attachment: AttachmentToRemove): void {
  using container = openContainerIfThere(attachment);
  if (container === undefined) return;
  const link = getLink(container, attachment.ifname);
  if (link?.kind === 'veth') deleteLinkIfThere(container, link);
}

/**
 * For GC: deletes the veths on the node that were made for this network by `identityOf`'s hardware addresses (and whose
 * alias, where they have one, does not say otherwise), and for no valid attachment. Only for plugins that make no links for others. Throws NetlinkError.
 */
export async function deleteStrayHostLinks({
  network,
  validAttachments,
}: Pick<GcRequest, 'network' | 'validAttachments'>): Promise<void> {
  const valid = new Set(validAttachments.map((one) => identityOf({ ...one, network }).hostMac));
  using node = openNode();
  const strays = listLinks(node, { kind: 'veth' }).filter(
    (link) => isHostLinkOf(network, link) && !valid.has(link.mac),
  );
  await runAll(strays.map((link) => () => deleteLinkIfThere(node, link)));
}

/** A link that must be there, since this request made it. Throws a `CniError` (11) if someone removed it meanwhile. */
export function presentLink(connection: Connection, name: string): Link {
  const link = getLink(connection, name);
  if (link !== undefined) return link;
  throw new CniError('tryAgainLater', `link ${name} was removed by someone while it was set up`);
}

/**
 * Refuses an interface name that is taken in the container: ADD must not touch another's interface (SPEC.md section 2,
 * ADD). Throws a `CniError` (4).
 */
export function refuseExistingInterface(container: Connection, name: string, netns: string): void {
  if (getLink(container, name) === undefined) return;
  throw new CniError(
    'invalidEnvironment',
    `interface ${name} exists already in ${netns}`,
    'CNI_IFNAME must be a new name; DEL removes what an earlier ADD made',
  );
}
