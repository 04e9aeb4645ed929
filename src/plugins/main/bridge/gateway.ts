/** The containers' gateway: its addresses on the bridge, or on the interface of its vlan, and forwarding. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { type Address, addAddress, deleteAddress, listAddresses } from '../../../kernel/rtnetlink/address.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { setSysctl } from '../../../kernel/sysctl/index.ts';
import { containsAddress, formatPrefix, type Prefix, sameAddress } from '../../../lib/ip.ts';
import { newAddress } from '../../../plugin/container-interface.ts';

/**
 * Gives the gateway addresses to a link and turns forwarding on for their families. An IPv4 address that is none of
 * them, or an IPv6 address whose network overlaps with one, is an error, or is replaced where `force` says so.
 */
export function ensureGateway(
  node: Connection,
  link: Link,
  gateways: readonly Prefix[],
  force: boolean,
): void {
  const present = listAddresses(node, { link });
  const missing = gateways.filter((gateway) => !present.some(({ prefix }) => same(prefix, gateway)));
  for (const gateway of missing) {
    removeConflicts(node, link, gateway, conflicting(present, gateway, gateways), force);
    try {
      addAddress(node, link, newAddress(gateway));
    } catch (error) {
      if (!isNetlinkError(error, 'EEXIST')) throw error; // someone was faster
    }
  }
  // A bridge that others made may follow its ports' hardware addresses; one that is set stays.
  if (missing.length > 0) changeLink(node, link, { mac: link.mac });
  const families = new Set(gateways.map(({ address }) => address.family));
  if (families.has(4)) setSysctl('net/ipv4/ip_forward', '1');
  if (families.has(6)) setSysctl('net/ipv6/conf/all/forwarding', '1');
}

/** The reference's rule: one IPv4 network a bridge, any number of IPv6 networks that do not overlap. */
function conflicting(
  present: readonly Address[],
  gateway: Prefix,
  gateways: readonly Prefix[],
): readonly Prefix[] {
  return present
    .map(({ prefix }) => prefix)
    .filter((prefix) => prefix.address.family === gateway.address.family)
    .filter((prefix) => prefix.address.family === 4 || overlap(prefix, gateway))
    .filter((prefix) => !gateways.some((wanted) => same(wanted, prefix)));
}

function removeConflicts(
  node: Connection,
  link: Link,
  gateway: Prefix,
  conflicts: readonly Prefix[],
  force: boolean,
): void {
  for (const prefix of conflicts) {
    if (!force) {
      throw new CniError(
        'invalidConfig',
        `${link.name} has the address ${formatPrefix(prefix)}, the gateway address of this network is ${formatPrefix(gateway)}`,
        'set `forceAddress` to replace it, or name another `bridge`',
      );
    }
    try {
      deleteAddress(node, link, { prefix });
    } catch (error) {
      if (!isNetlinkError(error, 'EADDRNOTAVAIL')) throw error; // someone was faster
    }
  }
}

function overlap(a: Prefix, b: Prefix): boolean {
  return containsAddress(a, b.address) || containsAddress(b, a.address);
}

function same(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && sameAddress(a.address, b.address);
}

/** What CHECK finds wrong with the gateway addresses. */
export function missingGateways(node: Connection, link: Link, gateways: readonly Prefix[]): string[] {
  const present = listAddresses(node, { link });
  return gateways
    .filter((gateway) => !present.some(({ prefix }) => sameAddress(prefix.address, gateway.address)))
    .map((gateway) => `${link.name} has no address ${formatPrefix(gateway)}, the containers' gateway`);
}
