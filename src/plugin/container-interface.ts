/** Giving the container's interface what the result says: up, addresses, routes. Alike for all interface plugins. */
import type { Attachment, IpConfig, Result, Route as ResultRoute } from '../cni/index.ts';
import type { Connection } from '../kernel/netlink/connection.ts';
import { NLM_F_CREATE } from '../kernel/netlink/message.ts';
import { addAddressRequest, listAddresses, type NewAddress } from '../kernel/rtnetlink/address.ts';
import type { Link, LinkIdentity } from '../kernel/rtnetlink/link.ts';
import { getLink } from '../kernel/rtnetlink/link.ts';
import { changeLink, changeLinkRequest } from '../kernel/rtnetlink/link-change.ts';
import { listRoutes, type NewRoute, singleRoutes } from '../kernel/rtnetlink/route.ts';
import { addRouteRequest } from '../kernel/rtnetlink/route-change.ts';
import { settleAddresses } from '../kernel/rtnetlink/settle.ts';
import { linkSysctl, setSysctls } from '../kernel/sysctl/index.ts';
import {
  addressBits,
  formatPrefix,
  lastAddress,
  networkOf,
  type Prefix,
  parseAddress,
  sameAddress,
} from '../lib/ip.ts';
import type { MacAddress } from '../lib/mac.ts';
import { presentLink } from './links.ts';
import type { Container } from './namespaces.ts';
import { prefixOf } from './values.ts';

/** How the interface is to be configured. */
export interface InterfaceOptions {
  /** IPv6 duplicate address detection: an address is used only after nobody objected for a second. Off if left out. */
  readonly detectDuplicates?: boolean;
}

/** How long IPv6 duplicate address detection may take, in milliseconds; as long as the reference waits. */
const settleTimeout = 5000;

/**
 * Sets up the container's interface of this name as a result says: its settings, its addresses, up, its routes, which
 * go by the first gateway of their family where they name none. The last three are one step to a process that is
 * killed. Throws a `CniError` where the interface is gone or the result holds no addresses, NetlinkError otherwise.
 */
export async function configureInterface(
  container: Container,
  ifname: string,
  { ips = [], routes = [] }: Pick<Result, 'ips' | 'routes'>,
  { detectDuplicates = false }: InterfaceOptions = {},
): Promise<void> {
  const link = presentLink(container, ifname);
  if (ips.length > 0) {
    const settings = interfaceSysctls(ifname, ips, { detectDuplicates });
    setSysctls(settings, { netns: container.netns, ifSupported: true });
  }
  applyConfiguration(container, link, ips, routes, { detectDuplicates });
  if (detectDuplicates && ips.length > 0) await settleAddresses(container, link, settleTimeout);
}

/**
 * The settings under /proc/sys of an interface that gets these addresses: as the reference makes them, and
 * `ndisc_notify`, which is to IPv6 what `arp_notify` is to IPv4: neighbours hear at once who has an address now.
 */
function interfaceSysctls(
  ifname: string,
  ips: readonly IpConfig[],
  { detectDuplicates = false }: InterfaceOptions,
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
function applyConfiguration(
  container: Connection,
  link: LinkIdentity,
  ips: readonly IpConfig[],
  routes: readonly ResultRoute[],
  { detectDuplicates = false }: InterfaceOptions,
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
  // DHCP's classless routes write none as 0.0.0.0 (RFC 3442).
  const viaLink = (route.gw === undefined || route.gw === '0.0.0.0') && route.scope === 253;
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

/**
 * What CHECK finds wrong with the container's interface, a line each: there, up, with the hardware address, the
 * addresses and the routes that the result of ADD says. `refuseProblems` makes an error of them.
 */
export function interfaceProblems(
  container: Connection,
  { ifname }: Pick<Attachment, 'ifname'>,
  { interfaces = [], ips = [], routes = [] }: Result,
): string[] {
  const link = getLink(container, ifname);
  if (link === undefined) return [`interface ${ifname} does not exist`];
  const index = interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined);
  const mac = interfaces[index]?.mac;
  const own = ips.filter((ip) => ip.interface === undefined || ip.interface === index);
  return [
    ...(mac && mac !== link.mac
      ? [`interface ${ifname} has hardware address ${link.mac}, the result of ADD says ${mac}`]
      : []),
    ...(link.flags.up ? [] : [`interface ${ifname} is down`]),
    ...addressAndRouteProblems(container, link, own, routes),
  ];
}

/** Nobody leads to a gateway but the link. Before 1.1.0 results have no scope that says so, and no runtime keeps one. */
function isRouteToGateway({ dst, gateway }: Pick<NewRoute, 'dst' | 'gateway'>): boolean {
  return (
    gateway !== undefined && sameAddress(dst.address, gateway) && dst.length === addressBits(gateway.family)
  );
}

/** What CHECK finds wrong with the addresses and routes of the container's interface, against the result's. */
export function addressAndRouteProblems(
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
    // In any table where the result names none: sbr and vrf move routes into others.
    const present = listRoutes(container, { dst: wanted.dst, table: wanted.table }).flatMap(singleRoutes);
    const found = present.some(
      (one) =>
        one.oif === link.index &&
        (wanted.gateway === undefined ||
          isRouteToGateway(wanted) ||
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
