/** Giving the container's interface what the result says: up, addresses, routes. Alike for all interface plugins. */
import { CniError, type IpConfig, type Route as ResultRoute } from '../cni/index.ts';
import type { Connection } from '../kernel/netlink/connection.ts';
import { NLM_F_CREATE } from '../kernel/netlink/message.ts';
import { addAddressRequest, listAddresses, type NewAddress } from '../kernel/rtnetlink/address.ts';
import type { Link, LinkIdentity } from '../kernel/rtnetlink/link.ts';
import { getLink } from '../kernel/rtnetlink/link.ts';
import { changeLink, changeLinkRequest } from '../kernel/rtnetlink/link-change.ts';
import { listRoutes, mainTable, type NewRoute } from '../kernel/rtnetlink/route.ts';
import { addRouteRequest } from '../kernel/rtnetlink/route-change.ts';
import { linkSysctl } from '../kernel/sysctl/index.ts';
import {
  formatPrefix,
  lastAddress,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  sameAddress,
} from '../lib/ip.ts';
import type { MacAddress } from '../lib/mac.ts';

/** How the interface is to be configured. */
export interface InterfaceOptions {
  /** IPv6 duplicate address detection: an address is used only after nobody objected for a second. */
  readonly detectDuplicates: boolean;
}

/**
 * The settings under /proc/sys of an interface that gets these addresses: as the reference makes them, and
 * `ndisc_notify`, which is to IPv6 what `arp_notify` is to IPv4: neighbours hear at once who has an address now.
 */
export function interfaceSysctls(
  ifname: string,
  ips: readonly IpConfig[],
  { detectDuplicates }: InterfaceOptions,
): Record<string, string> {
  const setting = (family: 'ipv4' | 'ipv6', name: string) => linkSysctl(family, ifname, name);
  const detection = detectDuplicates
    ? { [setting('ipv6', 'enhanced_dad')]: '1', [setting('ipv6', 'accept_dad')]: '1' }
    : { [setting('ipv6', 'accept_dad')]: '0' };
  const always = { ...detection, [setting('ipv4', 'arp_notify')]: '1' };
  if (!ips.some(({ address }) => prefixOf(address).address.family === 6)) return always;
  return {
    ...always,
    [linkSysctl('ipv6', 'lo', 'disable_ipv6')]: '0',
    [setting('ipv6', 'disable_ipv6')]: '0',
    [setting('ipv6', 'keep_addr_on_down')]: '1',
    [setting('ipv6', 'ndisc_notify')]: '1',
  };
}

/** Gives the interface its addresses, sets it up, adds its routes: in one datagram, one step to a process that is killed. */
export function configureInterface(
  container: Connection,
  link: LinkIdentity,
  ips: readonly IpConfig[],
  routes: readonly ResultRoute[],
  { detectDuplicates }: InterfaceOptions,
): void {
  container.requestAll([
    ...ips.map(({ address }) => addAddressRequest(link, newAddress(prefixOf(address), { detectDuplicates }))),
    changeLinkRequest(link, { up: true }),
    // Without NLM_F_EXCL: a second route to one destination is added, not refused, as the reference does.
    ...routes.map((route) => ({ ...addRouteRequest(toKernelRoute(route, ips, link)), flags: NLM_F_CREATE })),
  ]);
}

/**
 * Lets the neighbours know who has the interface's addresses now; one may have had another owner a moment ago. The
 * kernel does so by itself when an interface goes up, but a bridge whose port is not up yet drops that; and again, as here, when a
 * hardware address is set (inetdev_event, ndisc_netdev_event), where interfaceSysctls asked for it.
 */
export function announceAddresses(container: Connection, ifname: string, mac: MacAddress): void {
  changeLink(container, ifname, { mac });
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
        (wanted.priority === undefined || one.priority === wanted.priority) &&
        (wanted.mtu === undefined || one.mtu === wanted.mtu) &&
        (wanted.advmss === undefined || one.advmss === wanted.advmss),
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
