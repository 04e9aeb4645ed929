/** Links that a plugin makes and takes away. */
import { CniError } from '../cni/index.ts';
import type { Connection } from '../kernel/netlink/connection.ts';
import { isNetlinkError } from '../kernel/netlink/error.ts';
import { getLink, type Link, type LinkRef } from '../kernel/rtnetlink/link.ts';
import { deleteLink } from '../kernel/rtnetlink/link-change.ts';

/** Deletes a link, a veth with its peer; none is as good, as DEL wants it. Throws NetlinkError. */
export function deleteLinkIfThere(connection: Connection, link: LinkRef): void {
  try {
    deleteLink(connection, link);
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
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
