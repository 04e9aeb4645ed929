/** The bridge itself, shared by all attachments of its networks: made when it is not there, never removed. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { addAddress, deleteAddress, listAddresses } from '../../../kernel/rtnetlink/address.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink, changeLinkData, createLink } from '../../../kernel/rtnetlink/link-change.ts';
import { linkSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';
import { containsAddress, formatPrefix, type Prefix, sameAddress } from '../../../lib/ip.ts';
import { macFromBytes } from '../../../lib/mac.ts';
import { newAddress } from '../../shared/container-interface.ts';
import type { BridgeConfig } from './config.ts';

/** The bridge, existing and up. Throws a CniError when the name belongs to another kind of link. */
export function ensureBridge(node: Connection, config: BridgeConfig): Link {
  const name = config.bridge;
  const existing = getLink(node, name) ?? createBridge(node, config);
  refuseOtherKind(existing, name);
  if (wantsVlans(config) && existing.data?.vlanFiltering !== true) {
    changeLinkData(node, existing, 'bridge', { vlanFiltering: true });
  }
  const promisc = config.promiscMode && !existing.flags.promisc;
  if (!existing.flags.up || promisc)
    changeLink(node, existing, { up: true, ...(promisc ? { promisc } : {}) });
  return existing;
}

/** Refuses a link that has the bridge's name and is none. */
export function refuseOtherKind(link: Link, name: string): asserts link is Link & { kind: 'bridge' } {
  if (link.kind === 'bridge') return;
  const kind = link.kindName === undefined ? 'a link without a kind' : `a ${link.kindName} link`;
  throw new CniError(
    'invalidConfig',
    `\`bridge\` of plugin \`bridge\`: "${name}" exists and is ${kind}, not a bridge; choose another name`,
  );
}

function wantsVlans(config: BridgeConfig): boolean {
  return config.vlan !== 0 || config.vlanTrunk !== undefined;
}

/** Many ADDs may come at once on a new node: the one that is too late takes the other's bridge. */
function createBridge(node: Connection, config: BridgeConfig): Link {
  const name = config.bridge;
  try {
    createLink(node, {
      kind: 'bridge',
      name,
      // An address of its own: otherwise the bridge takes the lowest of its ports', which come and go.
      mac: macFromBytes(Uint8Array.of(0xfa, ...crypto.getRandomValues(new Uint8Array(5)))),
      ...(config.mtu > 0 ? { mtu: config.mtu } : {}),
      ...(wantsVlans(config) ? { data: { vlanFiltering: true } } : {}),
    });
    // The node's own routes, not those that a Pod may announce.
    setSysctl(linkSysctl('ipv6', name, 'accept_ra'), '0', { ifSupported: true });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
  }
  const link = getLink(node, name);
  if (link === undefined)
    throw new CniError('tryAgainLater', `bridge ${name} was removed by someone while it was set up`);
  return link;
}

/**
 * Gives the gateway address to the bridge (or to the interface of its vlan). Another address of its IPv4 or of an
 * overlapping IPv6 network is an error, or is replaced where `forceAddress` says so.
 */
export function ensureGatewayAddress(node: Connection, link: Link, gateway: Prefix, force: boolean): void {
  const { family } = gateway.address;
  for (const { prefix } of listAddresses(node, { link, family })) {
    if (formatPrefix(prefix) === formatPrefix(gateway)) return;
    if (
      family === 6 &&
      !containsAddress(prefix, gateway.address) &&
      !containsAddress(gateway, prefix.address)
    )
      continue;
    if (!force) {
      throw new CniError(
        'invalidConfig',
        `${link.name} has the address ${formatPrefix(prefix)}, the gateway address of this network is ${formatPrefix(gateway)}`,
        'set `forceAddress` to replace it, or name another `bridge`',
      );
    }
    deleteAddress(node, link, { prefix });
  }
  try {
    addAddress(node, link, newAddress(gateway));
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error; // someone was faster
  }
  // A bridge that others made may follow its ports' addresses; one that is set stays.
  changeLink(node, link, { mac: link.mac });
}

/** What CHECK finds wrong with the gateway addresses. */
export function missingGateways(node: Connection, link: Link, gateways: readonly Prefix[]): string[] {
  const present = listAddresses(node, { link });
  return gateways
    .filter((gateway) => !present.some(({ prefix }) => sameAddress(prefix.address, gateway.address)))
    .map((gateway) => `${link.name} has no address ${formatPrefix(gateway)}, the containers' gateway`);
}
