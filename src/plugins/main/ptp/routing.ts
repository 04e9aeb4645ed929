/** The addresses and routes of both ends: the container reaches everything, also its own subnet, by the node. */
import { CniError, type IpConfig, type Route } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { replaceAddressRequest } from '../../../kernel/rtnetlink/address.ts';
import { type NewRoute, routeProtocols, routeScopes } from '../../../kernel/rtnetlink/route.ts';
import { addRouteRequest, deleteRoute, replaceRouteRequest } from '../../../kernel/rtnetlink/route-change.ts';
import {
  addressBits,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  networkOf,
  type Prefix,
} from '../../../lib/ip.ts';
import { configureInterface, newAddress } from '../../../plugin/container-interface.ts';
import { presentLink } from '../../../plugin/links.ts';
import type { Container } from '../../../plugin/namespaces.ts';
import { gatewayOf, prefixOf } from '../../../plugin/values.ts';

/** One address at each end. */
export interface Cable {
  /** The container's, with its subnet's length. */
  readonly address: Prefix;
  /** The node's. */
  readonly gateway: IpAddress;
}

/** The addresses at both ends. Throws a `CniError` (6, 7) for one without a gateway, which the node's end needs. */
export function cablesOf(ips: readonly IpConfig[]): readonly Cable[] {
  return ips.map((one) => {
    const cable = { address: prefixOf(one.address), gateway: gatewayOf(one) };
    if (cable.gateway.family === cable.address.address.family) return cable;
    throw new CniError(
      'invalidConfig',
      `the gateway ${one.gateway} of ${one.address} is of the other IP version`,
    );
  });
}

/** The settings under /proc/sys by which the node forwards the cables' families. */
export function forwardingOf(cables: readonly Cable[]): readonly string[] {
  const has = (family: number) => cables.some(({ address }) => address.address.family === family);
  return [...(has(4) ? ['net/ipv4/ip_forward'] : []), ...(has(6) ? ['net/ipv6/conf/all/forwarding'] : [])];
}

/** The first cable to each thing: two addresses of one subnet have one way to it. */
function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return items.filter((item, index) => items.findIndex((other) => keyOf(other) === keyOf(item)) === index);
}

/** The container's routes: the gateway by the cable, and the subnet by the gateway. */
export function containerRoutes(cables: readonly Cable[]): readonly NewRoute[] {
  const routes = cables.flatMap(({ address, gateway }): NewRoute[] => {
    const prefSrc = address.address;
    const toGateway = { dst: hostPrefix(gateway), scope: routeScopes.link, prefSrc };
    if (address.length === addressBits(prefSrc.family)) return [toGateway];
    return [toGateway, { dst: networkOf(address), gateway, scope: routeScopes.universe, prefSrc }];
  });
  return firstOfEach(routes, ({ dst }) => formatPrefix(dst));
}

/** The node's routes: each container address by the cable. */
export function hostRoutes(cables: readonly Cable[]): readonly NewRoute[] {
  const routes = cables.map(({ address }) => ({ dst: hostPrefix(address.address), scope: routeScopes.host }));
  return firstOfEach(routes, ({ dst }) => formatPrefix(dst));
}

/** The node's addresses on its end. */
export function hostAddresses(cables: readonly Cable[]): readonly Prefix[] {
  return firstOfEach(
    cables.map(({ gateway }) => hostPrefix(gateway)),
    formatPrefix,
  );
}

/**
 * Sets the container's end up, and takes the way to its subnet that the kernel makes with an address: nobody of the
 * subnet is on the cable. Nobody can have the same address there either, so it is used at once.
 */
export async function configureContainer(
  container: Container,
  ifname: string,
  ips: readonly IpConfig[],
  routes: readonly Route[],
  cables: readonly Cable[],
): Promise<void> {
  const toGateways = hostAddresses(cables).map((prefix) => ({
    dst: formatPrefix(prefix),
    scope: routeScopes.link,
  }));
  await configureInterface(container, ifname, { ips, routes: [...toGateways, ...routes] });
  const oif = presentLink(container, ifname);
  for (const { address } of cables) {
    try {
      deleteRoute(container, { dst: networkOf(address), oif, protocol: routeProtocols.kernel });
    } catch (error) {
      // A second address of a subnet, or a subnet of one address, has none.
      if (!isNetlinkError(error, 'ESRCH', 'ENOENT')) throw error;
    }
  }
  container.requestAll(
    containerRoutes(cables).map((route) =>
      route.gateway === undefined
        ? replaceRouteRequest({ ...route, oif })
        : addRouteRequest({ ...route, oif }),
    ),
  );
}

/** Gives the node's end the gateway addresses, and the node the routes to the container. */
export function configureHost(node: Connection, hostName: string, cables: readonly Cable[]): void {
  const oif = presentLink(node, hostName);
  node.requestAll([
    ...hostAddresses(cables).map((prefix) => replaceAddressRequest(oif, newAddress(prefix))),
    ...hostRoutes(cables).map((route) => replaceRouteRequest({ ...route, oif })),
  ]);
}
