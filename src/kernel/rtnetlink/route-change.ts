/** Routes: adding, replacing and deleting them. Each as a request, for batches, and as a call. */
import { formatAddress, formatPrefix, type IpAddress, type IpFamily } from '../../lib/ip.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type Request } from '../netlink/message.ts';
import { addressFamily, writeFlags } from './codecs.ts';
import { mainTable, type NewRoute, routeProtocols, routeScopes } from './route.ts';
import { nextHopFlags, RTM_DELROUTE, RTM_NEWROUTE, routeMessage, routeTypes } from './route-message.ts';

/** Adds a route; EEXIST when there is one to the same destination with the same priority in the table. */
export function addRouteRequest(route: NewRoute): Request {
  return changeRequest('add', NLM_F_CREATE | NLM_F_EXCL, route);
}

/** Sends addRouteRequest. Throws NetlinkError. */
export function addRoute(connection: Connection, route: NewRoute): void {
  connection.request(addRouteRequest(route));
}

/** Adds a route in place of the one to the same destination with the same priority in the table, if there is one. */
export function replaceRouteRequest(route: NewRoute): Request {
  return changeRequest('replace', NLM_F_CREATE | NLM_F_REPLACE, route);
}

/** Sends replaceRouteRequest. Throws NetlinkError. */
export function replaceRoute(connection: Connection, route: NewRoute): void {
  connection.request(replaceRouteRequest(route));
}

/** Deletes the first route that has everything that is given; ESRCH when there is none. */
export function deleteRouteRequest(route: NewRoute): Request {
  const { protocol = routeProtocols.unspecified, scope = routeScopes.nowhere, type = 'unspecified' } = route;
  return {
    operation: `delete route ${describeRoute(route)}`,
    type: RTM_DELROUTE,
    body: encodeRoute({ ...route, protocol, scope, type }),
  };
}

/** Sends deleteRouteRequest. Throws NetlinkError. */
export function deleteRoute(connection: Connection, route: NewRoute): void {
  connection.request(deleteRouteRequest(route));
}

function changeRequest(verb: string, flags: number, route: NewRoute): Request {
  const operation = `${verb} route ${describeRoute(route)}`;
  return { operation, type: RTM_NEWROUTE, flags, body: encodeRoute(route) };
}

function encodeRoute(route: NewRoute): Uint8Array {
  const { dst, src, table = mainTable, protocol = routeProtocols.boot, type = 'unicast' } = route;
  const { family } = dst.address;
  const header = {
    family: addressFamily(family),
    dstLength: dst.length,
    srcLength: src?.length,
    // A table over 255 has room in RTA_TABLE only; the header's field then says RT_TABLE_UNSPEC.
    table: table < 256 ? table : 0,
    protocol,
    scope: route.scope ?? defaultScope(route),
    type: routeTypes[type],
    flags: onlinkFlag(route.onlink),
  };
  const { mtu, advmss } = route;
  const hops = route.nextHops?.map(({ oif, gateway, weight, onlink }) => ({
    flags: onlinkFlag(onlink),
    hops: weight - 1,
    oif: oif ?? 0,
    ...gatewayAttributes(family, gateway),
  }));
  return routeMessage.encode(header, {
    dst: dst.length === 0 ? undefined : dst.address,
    src: src?.address,
    oif: typeof route.oif === 'object' ? route.oif.index : route.oif,
    ...gatewayAttributes(family, route.gateway),
    priority: route.priority,
    prefSrc: route.prefSrc,
    metrics: mtu === undefined && advmss === undefined ? undefined : { mtu, advmss },
    nextHops: hops,
    table,
  });
}

function onlinkFlag(onlink: boolean | undefined): number {
  return writeFlags(nextHopFlags, { onlink }).bits;
}

function gatewayAttributes(family: IpFamily, gateway: IpAddress | undefined) {
  return gateway?.family === family ? { gateway } : { via: gateway };
}

/** What `ip route` assumes (iproute2, iproute_modify). IPv6 has no scopes. */
function defaultScope({ dst, type, gateway, nextHops }: NewRoute): number {
  if (dst.address.family === 6) return routeScopes.universe;
  if (type === 'local' || type === 'nat') return routeScopes.host;
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return routeScopes.link;
  const direct = (type ?? 'unicast') === 'unicast' && gateway === undefined && nextHops === undefined;
  return direct ? routeScopes.link : routeScopes.universe;
}

/** A route in the words of `ip route`, for error messages. */
export function describeRoute(route: NewRoute): string {
  const { dst, src, gateway, oif, table = mainTable, prefSrc, priority, type = 'unicast' } = route;
  const words = [
    type === 'unicast' || type === 'unspecified' ? '' : type,
    formatPrefix(dst),
    src && `from ${formatPrefix(src)}`,
    gateway && `via ${formatAddress(gateway)}`,
    oif !== undefined && `dev ${typeof oif === 'object' ? oif.name : `with index ${oif}`}`,
    table !== mainTable && `table ${table}`,
    prefSrc && `src ${formatAddress(prefSrc)}`,
    priority !== undefined && `metric ${priority}`,
    route.nextHops
      ?.map((hop) => `nexthop via ${hop.gateway ? formatAddress(hop.gateway) : `link ${hop.oif}`}`)
      .join(' '),
  ];
  return words.filter(Boolean).join(' ');
}
