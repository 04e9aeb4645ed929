/** The bridge itself, shared by all attachments of its networks: made when it is not there, never removed. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink, changeLinkData, createLink } from '../../../kernel/rtnetlink/link-change.ts';
import { linkSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';
import { macFromBytes } from '../../../lib/mac.ts';
import type { BridgeConfig } from './config.ts';

/**
 * The bridge, existing and up. `found` is what has its name, if anything does: a bridge (refuseOtherKind). Throws a
 * CniError when it cannot be what the configuration says.
 */
export function ensureBridge(node: Connection, config: BridgeConfig, found: Link | undefined): Link {
  const bridge = found ?? createBridge(node, config);
  refuseOtherKind(bridge, config.bridge);
  if (wantsVlans(config)) ensureVlanFiltering(node, bridge, config);
  // The node's own routes, not those that a Pod may announce. Also where an ADD made the bridge and was killed before this.
  if (!bridge.flags.up) setSysctl(linkSysctl('ipv6', bridge.name, 'accept_ra'), '0', { ifSupported: true });
  const promisc = config.promiscMode && !bridge.flags.promisc;
  if (!bridge.flags.up || promisc) changeLink(node, bridge, { up: true, ...(promisc ? { promisc } : {}) });
  return bridge;
}

/** Refuses a link that has the bridge's name and is none. */
export function refuseOtherKind(link: Link, name: string): asserts link is Link & { kind: 'bridge' } {
  if (link.kind === 'bridge') return;
  throw new CniError(
    'invalidConfig',
    `\`bridge\` of plugin \`bridge\`: "${name}" exists and is ${describeKind(link)}, not a bridge; choose another name`,
  );
}

/** What a link is, in words. */
export function describeKind({ kindName }: Link): string {
  return kindName === undefined ? 'a link without a kind' : `a link of kind ${kindName}`;
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
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
  }
  const link = getLink(node, name);
  if (link === undefined)
    throw new CniError('tryAgainLater', `bridge ${name} was removed by someone while it was set up`);
  return link;
}

/** A bridge that was made without vlan filtering gets it: without, the vlans would not be kept apart. */
function ensureVlanFiltering(
  node: Connection,
  bridge: Link & { readonly kind: 'bridge' },
  config: BridgeConfig,
): void {
  if (bridge.data.vlanFiltering) return;
  try {
    changeLinkData(node, bridge, 'bridge', { vlanFiltering: true });
  } catch (error) {
    if (!isNetlinkError(error, 'EOPNOTSUPP')) throw error;
    const [key, value] = config.vlan === 0 ? ['vlanTrunk', config.vlanTrunk] : ['vlan', config.vlan];
    throw new CniError(
      'unsupportedField',
      `\`${key}\` of plugin \`bridge\`: ${JSON.stringify(value)} cannot be done, this kernel's bridges have no vlan filtering`,
      'the kernel must be built with CONFIG_BRIDGE_VLAN_FILTERING',
    );
  }
}
