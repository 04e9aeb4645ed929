/** Giving the container's interface what the result says: up, addresses, routes. Alike for all interface plugins. */
import { CniError, type IpConfig, type Route as ResultRoute } from '../../cni/index.ts';
import type { Connection } from '../../kernel/netlink/connection.ts';
import { NLM_F_CREATE, type Request } from '../../kernel/netlink/message.ts';
import { addAddressRequest, listAddresses, type NewAddress } from '../../kernel/rtnetlink/address.ts';
import type { Link, LinkIdentity } from '../../kernel/rtnetlink/link.ts';
import { getLink } from '../../kernel/rtnetlink/link.ts';
import { changeLinkRequest } from '../../kernel/rtnetlink/link-change.ts';
import { listRoutes, mainTable, type NewRoute } from '../../kernel/rtnetlink/route.ts';
import { addRouteRequest } from '../../kernel/rtnetlink/route-change.ts';
import {
  formatPrefix,
  lastAddress,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  sameAddress,
} from '../../lib/ip.ts';

/** Sets the interface up with its addresses and routes, in one datagram: one step to a process that is killed. */
export function configureInterface(
  container: Connection,
  link: LinkIdentity,
  ips: readonly IpConfig[],
  routes: readonly ResultRoute[],
  options: { readonly detectDuplicates?: boolean } = {},
): void {
  const requests: Request[] = [changeLinkRequest(link, { up: true })];
  for (const { address } of ips) {
    requests.push(
      addAddressRequest(link, newAddress(prefixOf(address), { detectDuplicates: options.detectDuplicates })),
    );
  }
  for (const route of routes) {
    // Without NLM_F_EXCL: a second route to one destination is added, not refused, as the reference does.
    requests.push({ ...addRouteRequest(toKernelRoute(route, ips, link)), flags: NLM_F_CREATE });
  }
  container.requestAll(requests);
}

/** An address as the reference gives it: in IPv4 with the network's broadcast address, which the kernel does not set. */
export function newAddress(
  prefix: Prefix,
  options: { readonly detectDuplicates?: boolean | undefined } = {},
): NewAddress {
  const hasBroadcast = prefix.address.family === 4 && prefix.length < 31;
  return {
    prefix,
    noDad: options.detectDuplicates !== true,
    ...(hasBroadcast && { broadcast: lastAddress(prefix) }),
  };
}

/** A result's route as the kernel takes it; one without a next hop goes by the first gateway of its family. */
function toKernelRoute(route: ResultRoute, ips: readonly IpConfig[], link: LinkIdentity): NewRoute {
  const dst = networkOf(prefixOf(route.dst));
  const sameFamily = ({ address }: IpConfig) => prefixOf(address).address.family === dst.address.family;
  // Scope link (253) says that there is no next hop; the gateway of an address is only for routes that need one.
  const viaLink = route.gw === undefined && route.scope === 253;
  const gw = viaLink ? undefined : (route.gw ?? ips.find((ip) => sameFamily(ip) && ip.gateway)?.gateway);
  return {
    dst,
    oif: link,
    gateway: gw === undefined ? undefined : parseAddress(gw),
    mtu: route.mtu || undefined,
    advmss: route.advmss || undefined,
    priority: route.priority || undefined,
    table: route.table || undefined,
    scope: route.scope,
  };
}

/** What CHECK finds wrong with the container's interface: its addresses and routes against the result's. */
export function checkInterface(
  container: Connection,
  link: Link,
  ips: readonly IpConfig[],
  routes: readonly ResultRoute[],
): string[] {
  const problems: string[] = [];
  const addresses = listAddresses(container, { link }).map(({ prefix }) => formatPrefix(prefix));
  for (const { address } of ips) {
    if (!addresses.includes(formatPrefix(prefixOf(address))))
      problems.push(`interface ${link.name} has no address ${address}`);
  }
  for (const route of routes) {
    const wanted = toKernelRoute(route, ips, link);
    const found = listRoutes(container, { dst: wanted.dst, table: wanted.table ?? mainTable }).some(
      (one) =>
        one.oif === link.index &&
        (wanted.gateway === undefined ||
          (one.gateway !== undefined && sameAddress(one.gateway, wanted.gateway))) &&
        (wanted.priority === undefined || one.priority === wanted.priority),
    );
    if (!found)
      problems.push(
        `there is no route to ${route.dst}${route.gw === undefined ? '' : ` by ${route.gw}`} on ${link.name}`,
      );
  }
  return problems;
}

/** Refuses a name that is taken in the container: ADD must not touch another's interface (SPEC.md section 2, ADD). */
export function refuseExistingInterface(container: Connection, name: string, netns: string): void {
  if (getLink(container, name) === undefined) return;
  throw new CniError(
    'invalidEnvironment',
    `interface ${name} exists already in ${netns}`,
    'CNI_IFNAME must be a new name; DEL removes what an earlier ADD made',
  );
}

function prefixOf(text: string) {
  const prefix = parsePrefix(text);
  if (prefix === undefined)
    throw new CniError('decodingFailure', `"${text}" is no address with a prefix length`);
  return prefix;
}
