/** What the kernel has in a namespace, in words that configurations use. */
import { NETLINK_ROUTE, openConnection } from '../kernel/netlink/connection.ts';
import { openNetns } from '../kernel/netns/netns.ts';
import { listAddresses } from '../kernel/rtnetlink/address.ts';
import { type Link, listLinks } from '../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable } from '../kernel/rtnetlink/route.ts';
import { formatAddress, formatPrefix } from '../lib/ip.ts';
import { requireSandbox } from './sandbox.ts';

/** Where to look: a container (whatever has a namespace's path), or the node that the tests run on. */
export type Place = 'node' | { readonly netns: string };

/** A link, and its addresses with their prefix lengths: `10.1.0.5/16`. */
export type SeenLink = Link & { readonly addresses: readonly string[] };

/** A route of the main table. */
export interface SeenRoute {
  /** The destination, e.g. `0.0.0.0/0`. */
  readonly dst: string;
  /** The next hop. */
  readonly via?: string;
  /** The name of the link that it leaves by. */
  readonly dev?: string;
  /** Its priority; the lower, the more preferred. */
  readonly metric?: number;
}

/** What is in a namespace. */
export interface Seen {
  /** The namespace's path, or `the node`. */
  readonly where: string;
  readonly links: readonly SeenLink[];
  readonly routes: readonly SeenRoute[];
}

/** Reads links, addresses and routes of a namespace. Throws SystemError, NetlinkError or NotANamespaceError. */
export function inspect(place: Place): Seen {
  requireSandbox();
  if (place === 'node') return read('the node');
  const netns = openNetns(place.netns);
  try {
    return read(place.netns, netns);
  } finally {
    netns.close();
  }
}

function read(where: string, netns?: ReturnType<typeof openNetns>): Seen {
  const connection = openConnection(NETLINK_ROUTE, netns);
  try {
    const addresses = listAddresses(connection);
    const links = listLinks(connection).map((link) => ({
      ...link,
      addresses: addresses
        .filter(({ linkIndex }) => linkIndex === link.index)
        .map(({ prefix }) => formatPrefix(prefix)),
    }));
    const routes = listRoutes(connection, { table: mainTable }).map(({ dst, gateway, oif, priority }) => {
      const dev = links.find(({ index }) => index === oif)?.name;
      return {
        dst: formatPrefix(dst),
        ...(gateway && { via: formatAddress(gateway) }),
        ...(dev !== undefined && { dev }),
        ...(priority !== undefined && { metric: priority }),
      };
    });
    return { where, links, routes };
  } finally {
    connection.close();
  }
}
