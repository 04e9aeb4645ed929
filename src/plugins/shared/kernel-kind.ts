/** Whether the kernel has a kind of link, asked by a request that it cannot fulfil. */
import type { Connection } from '../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../kernel/netlink/error.ts';
import { createLink } from '../../kernel/rtnetlink/link-change.ts';

/**
 * A multicast address cannot be a link's: a kernel that knows the kind (and loads its module for that) says so, another
 * one that it does not know the kind (EOPNOTSUPP). Nothing is made. Throws NetlinkError for every other answer.
 */
export function kernelHasKind(connection: Connection, kind: 'ifb' | 'vrf'): boolean {
  try {
    createLink(connection, { name: 'probe', kind, mac: '01:00:00:00:00:00' });
    return true;
  } catch (error) {
    if (isNetlinkError(error, 'EOPNOTSUPP')) return false;
    if (isNetlinkError(error, 'EADDRNOTAVAIL')) return true;
    throw error;
  }
}
