/** Routes: listing them, and asking which one a packet takes. */
import {
  addressBits,
  formatAddress,
  type IpAddress,
  type IpFamily,
  type Prefix,
  sameAddress,
} from '../../lib/ip.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Frame } from '../netlink/message.ts';
import { addressFamily, type Flags, ipFamily, readFlags } from './codecs.ts';
import type { LinkIdentity } from './link.ts';
import { nextHopFlags, RTM_GETROUTE, routeMessage, routeTypes } from './route-message.ts';

/** The table of ordinary routes: RT_TABLE_MAIN, linux/rtnetlink.h. */
export const mainTable = 254;
/** The table that the kernel fills for the node's own addresses: RT_TABLE_LOCAL. */
export const localTable = 255;
/** RT_SCOPE_*: how far away a route's destination is. */
export const routeScopes = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
/** RTPROT_*: who installed a route. */
export const routeProtocols = { unspecified: 0, redirect: 1, kernel: 2, boot: 3, static: 4, ra: 9 } as const;

/** One of several ways of a route. */
export interface NextHop {
  readonly oif?: number | undefined;
  readonly gateway?: IpAddress | undefined;
  /** 1–256: its share, relative to the others'. */
  readonly weight: number;
  readonly onlink?: boolean | undefined;
}

/** What a route that is there, one to be added and one to be deleted have in common. */
interface RouteProperties {
  /** 0.0.0.0/0 or ::/0 is the default route. Host bits must be clear. */
  readonly dst: Prefix;
  /** IPv6: only packets from these addresses. */
  readonly src?: Prefix | undefined;
  /** May be of the other family (RTA_VIA). */
  readonly gateway?: IpAddress | undefined;
  /** The source address for packets of this host. */
  readonly prefSrc?: IpAddress | undefined;
  /** The metric: of equal routes the lowest is taken. */
  readonly priority?: number | undefined;
  readonly mtu?: number | undefined;
  /** The TCP segment size announced to others, in bytes. */
  readonly advmss?: number | undefined;
  /** In place of gateway and oif. */
  readonly nextHops?: readonly NextHop[] | undefined;
}

/** A route that is there. */
export interface Route extends RouteProperties {
  readonly oif?: number | undefined;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  /** Undefined for a type that is not known here. */
  readonly type: keyof typeof routeTypes | undefined;
  readonly flags: Flags<typeof nextHopFlags>;
}

/** A route to be added or replaced, or by which to find one to be deleted. A Route is one too. */
export interface NewRoute extends RouteProperties {
  /** The link; its name is for error messages. */
  readonly oif?: number | LinkIdentity | undefined;
  /** The main table when absent. */
  readonly table?: number | undefined;
  /** `boot` when absent, as iproute2 has it. */
  readonly protocol?: number | undefined;
  /** As iproute2 has it when absent: `host` for local routes, `link` for those without gateway, else `universe`. */
  readonly scope?: number | undefined;
  /** `unicast` when absent. */
  readonly type?: keyof typeof routeTypes | undefined;
  /** The gateway is reachable on the link although no route says so. */
  readonly onlink?: boolean | undefined;
}

/** Which routes to list. Table, oif, protocol and type are chosen by the kernel, dst here. */
export interface RouteFilter {
  /** Both when absent. */
  readonly family?: IpFamily | undefined;
  /** All when absent; a table that is not there has no routes. */
  readonly table?: number | undefined;
  readonly oif?: number | undefined;
  readonly protocol?: number | undefined;
  readonly type?: keyof typeof routeTypes | undefined;
  readonly dst?: Prefix | undefined;
}

/** The routes of all tables, or those of a filter. Throws NetlinkError. */
export function listRoutes(connection: Connection, filter: RouteFilter = {}): Route[] {
  const { dst, family = dst?.address.family } = filter;
  const families: IpFamily[] = family === undefined ? [4, 6] : [family];
  const routes = families.flatMap((each) => listFamily(connection, each, filter));
  if (dst === undefined) return routes;
  return routes.filter((r) => r.dst.length === dst.length && sameAddress(r.dst.address, dst.address));
}

function listFamily(connection: Connection, family: IpFamily, filter: RouteFilter): Route[] {
  const { table, oif, protocol, type = 'unspecified' } = filter;
  const header = { family: addressFamily(family), protocol, type: routeTypes[type] };
  const body = routeMessage.encode(header, { table, oif });
  try {
    const frames = connection.dump({ operation: `list IPv${family} routes`, type: RTM_GETROUTE, body });
    return frames.flatMap((frame) => decodeRoute(frame) ?? []);
  } catch (error) {
    if (table !== undefined && isNetlinkError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Undefined for families other than IP. */
function decodeRoute(frame: Frame): Route | undefined {
  const family = ipFamily(frame.body[0] ?? 0);
  if (family === undefined) return undefined;
  const { header, attributes } = routeMessage.decode(frame.body);
  const { dst = { family, value: 0n }, src, gateway, via, metrics = {}, nextHops, ...rest } = attributes;
  return {
    dst: { address: dst, length: header.dstLength },
    src: src && { address: src, length: header.srcLength },
    gateway: gateway ?? via,
    oif: rest.oif,
    prefSrc: rest.prefSrc,
    priority: rest.priority,
    mtu: metrics.mtu,
    advmss: metrics.advmss,
    nextHops: nextHops?.map((hop) => ({
      oif: hop.oif === 0 ? undefined : hop.oif,
      gateway: hop.gateway ?? hop.via,
      weight: hop.hops + 1,
      onlink: readFlags(nextHopFlags, hop.flags).onlink,
    })),
    table: rest.table ?? header.table,
    protocol: header.protocol,
    scope: header.scope,
    type: routeTypeName(header.type),
    flags: readFlags(nextHopFlags, header.flags),
  };
}

/**
 * A route as one for each of its ways. IPv6 tells several routes to one destination so, that were added and can be
 * deleted one by one.
 */
export function singleRoutes(route: Route): Route[] {
  const { nextHops, ...rest } = route;
  return nextHops === undefined ? [route] : nextHops.map(({ oif, gateway }) => ({ ...rest, oif, gateway }));
}

function routeTypeName(number: number): Route['type'] {
  const names = Object.keys(routeTypes) as (keyof typeof routeTypes)[];
  return names.find((name) => routeTypes[name] === number);
}

/** The route that a packet to `destination` takes from this host; undefined when there is none (ENETUNREACH). */
export function getRoute(
  connection: Connection,
  destination: IpAddress,
  from: { readonly source?: IpAddress; readonly oif?: number; readonly mark?: number } = {},
): Route | undefined {
  // Asks IPv4 for the table; IPv6 tells it anyway, and refuses the flag (inet6_rtm_valid_getroute_req).
  const RTM_F_LOOKUP_TABLE = 0x1000;
  const bits = addressBits(destination.family);
  const header = {
    family: addressFamily(destination.family),
    dstLength: bits,
    srcLength: from.source === undefined ? 0 : bits,
    flags: destination.family === 4 ? RTM_F_LOOKUP_TABLE : 0,
  };
  const values = { dst: destination, src: from.source, oif: from.oif, mark: from.mark };
  const operation = `look up the route to ${formatAddress(destination)}`;
  try {
    const [frame] = connection.request({
      operation,
      type: RTM_GETROUTE,
      body: routeMessage.encode(header, values),
    });
    return frame === undefined ? undefined : decodeRoute(frame);
  } catch (error) {
    if (isNetlinkError(error, 'ENETUNREACH')) return undefined;
    throw error;
  }
}
