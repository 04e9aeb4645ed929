/** What the kernel has in a namespace, to hold results against. */
import { NETLINK_ROUTE, openConnection, openNetns, rtnetlink } from '../../kernel/index.ts';
import type { Connection } from '../../kernel/netlink/connection.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix, sameAddress } from '../../lib/ip.ts';
import { NotTried } from './rule.ts';

/** Links, addresses and routes of a namespace at one moment. */
export interface State {
  readonly links: readonly rtnetlink.Link[];
  readonly addresses: readonly rtnetlink.Address[];
  readonly routes: readonly rtnetlink.Route[];
}

/** Runs something with a connection to a namespace; to the node's own where it is undefined. Throws where it cannot be opened. */
export function inside<T>(netns: string | undefined, call: (connection: Connection) => T): T {
  const place = netns === undefined ? undefined : openNetns(netns);
  try {
    const connection = openConnection(NETLINK_ROUTE, place);
    try {
      return call(connection);
    } finally {
      connection.close();
    }
  } finally {
    place?.close();
  }
}

/** Reads a namespace; the node's own where it is undefined. */
export function look(netns: string | undefined): State {
  return inside(netns, (connection) => ({
    links: rtnetlink.listLinks(connection),
    addresses: rtnetlink.listAddresses(connection),
    routes: rtnetlink.listRoutes(connection),
  }));
}

/** The names of the node's own links. */
export function nodeLinks(): readonly string[] {
  return look(undefined).links.map(({ name }) => name);
}

/** A container that has a link of the node says nothing about a second one, for which it is not there. Throws `NotTried`. */
export function refuseLostLinks(before: readonly string[]): void {
  const now = nodeLinks();
  const lost = before.find((name) => !now.includes(name));
  if (lost !== undefined) throw new NotTried(`a container took ${lost} of the node, which is there once`);
}

/** The link of a name. */
export function linkIn({ links }: State, name: string): rtnetlink.Link | undefined {
  return links.find((link) => link.name === name);
}

/** The address in CIDR notation as a link has it, or any link; undefined where none has. */
export function addressIn(state: State, text: string, link?: rtnetlink.Link): rtnetlink.Address | undefined {
  const wanted = parsePrefix(text);
  if (wanted === undefined) return undefined;
  return state.addresses.find(
    ({ prefix, linkIndex }) =>
      prefix.length === wanted.length &&
      sameAddress(prefix.address, wanted.address) &&
      (link === undefined || linkIndex === link.index),
  );
}

/** A route to a destination in CIDR notation, by this next hop where one is given. */
export function routeIn(state: State, dst: string, gateway?: string): rtnetlink.Route | undefined {
  const wanted = parsePrefix(dst);
  const hop = gateway === undefined ? undefined : parseAddress(gateway);
  if (wanted === undefined) return undefined;
  return state.routes.find(
    (route) =>
      route.dst.length === wanted.length &&
      sameAddress(route.dst.address, wanted.address) &&
      (hop === undefined || (route.gateway !== undefined && sameAddress(route.gateway, hop))),
  );
}

/** The namespace as lines for people, and to tell what has changed. What the kernel makes by itself is left out. */
export function linesOf(state: State): readonly string[] {
  const nameOf = (index: number | undefined) => state.links.find((link) => link.index === index)?.name ?? '?';
  const links = state.links.map(({ name, kindName = 'no kind' }) => `link ${name} (${kindName})`);
  const addresses = state.addresses
    .filter(({ prefix, scope, linkIndex }) => {
      const linkLocal = prefix.address.family === 6 && scope === 253;
      return !linkLocal && nameOf(linkIndex) !== 'lo';
    })
    .map(({ prefix, linkIndex }) => `address ${formatPrefix(prefix)} on ${nameOf(linkIndex)}`);
  const routes = state.routes
    .filter(({ table, protocol }) => table !== 255 && protocol !== rtnetlink.routeProtocols.kernel)
    .map(({ dst, gateway, oif, table }) => {
      const via = gateway === undefined ? '' : ` via ${formatAddress(gateway)}`;
      const where = table === rtnetlink.mainTable ? '' : ` in table ${table}`;
      return `route ${formatPrefix(dst)}${via} on ${nameOf(oif)}${where}`;
    });
  return [...links, ...addresses, ...routes];
}

/** The lines of the second that the first has not. */
export function newLines(before: readonly string[], after: readonly string[]): readonly string[] {
  return after.filter((line) => !before.includes(line));
}
