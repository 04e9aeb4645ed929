/** The vlans that a bridge with vlan filtering lets through a port, or up to the host (IFLA_BRIDGE_VLAN_INFO, linux/if_bridge.h). */
import { attribute, attributes, listOf } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { reserved, struct, u8, u16, u32, type ValueOf } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Request } from '../netlink/message.ts';
import { AF_BRIDGE, readFlags, writeFlags } from './codecs.ts';
import type { LinkIdentity } from './link.ts';
import { linkMessage, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK } from './link-message.ts';

const RTM_GETVLAN = 114;
const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;
/** BRIDGE_FLAGS_SELF: the message is for the bridge device itself, not for the bridge that a link is a port of. */
const BRIDGE_FLAGS_SELF = 2;
/** BRIDGE_VLAN_INFO_* */
const vlanFlags = { pvid: 2, untagged: 4, rangeBegin: 8, rangeEnd: 0x10 } as const;

const vlanInfo = struct({ flags: u16, id: u16 });
type VlanInfo = ValueOf<typeof vlanInfo>;
/** IFLA_AF_SPEC of family AF_BRIDGE: one IFLA_BRIDGE_FLAGS, any number of IFLA_BRIDGE_VLAN_INFO. */
const bridgeFlags = attributes({ flags: attribute(0, u16) });
const vlanInfos = listOf(2, vlanInfo);

/** struct br_vlan_msg; BRIDGE_VLANDB_ENTRY any number of times, each with _ENTRY_INFO and for several _ENTRY_RANGE. */
const vlanHeader = struct({ family: u8, pad: reserved(3), index: u32 });
const vlanEntry = attributes({ info: attribute(1, vlanInfo), last: attribute(2, u16) });
const vlanEntries = listOf(1, vlanEntry);

/** A vlan or a range of them (last included), 1–4094. */
export interface VlanRange {
  readonly first: number;
  /** `first` when absent. */
  readonly last?: number | undefined;
}

/** Vlans to be let through. */
export interface NewBridgeVlans extends VlanRange {
  /** Frames that come in without a tag are in this vlan; a single one, and the port has at most one. */
  readonly pvid?: boolean | undefined;
  /** Frames go out without the tag. */
  readonly untagged?: boolean | undefined;
}

/** Whose vlans: a port's, or the bridge device's own, which decide what reaches the host. */
export type BridgeVlanOwner = { readonly port: LinkIdentity } | { readonly bridge: LinkIdentity };

/** Adds vlans, or changes their flags. EOPNOTSUPP where the kernel has no vlan filtering. */
export function addBridgeVlansRequest(owner: BridgeVlanOwner, vlans: NewBridgeVlans): Request {
  return request('add', RTM_SETLINK, owner, vlans, writeFlags(vlanFlags, vlans).bits);
}

/** Sends addBridgeVlansRequest. Throws NetlinkError. */
export function addBridgeVlans(connection: Connection, owner: BridgeVlanOwner, vlans: NewBridgeVlans): void {
  connection.request(addBridgeVlansRequest(owner, vlans));
}

/** Removes vlans; those that are not there are passed over by the kernel. */
export function deleteBridgeVlansRequest(owner: BridgeVlanOwner, vlans: VlanRange): Request {
  return request('delete', RTM_DELLINK, owner, vlans, 0);
}

/** Sends deleteBridgeVlansRequest. Throws NetlinkError. */
export function deleteBridgeVlans(connection: Connection, owner: BridgeVlanOwner, vlans: VlanRange): void {
  connection.request(deleteBridgeVlansRequest(owner, vlans));
}

function request(
  verb: string,
  type: number,
  owner: BridgeVlanOwner,
  { first, last = first }: VlanRange,
  flags: number,
): Request {
  const link = 'bridge' in owner ? owner.bridge : owner.port;
  const ids = first === last ? `vlan ${first}` : `vlans ${first}-${last}`;
  const infos: VlanInfo[] =
    first === last
      ? [{ flags, id: first }]
      : [
          { flags: flags | vlanFlags.rangeBegin, id: first },
          { flags: flags | vlanFlags.rangeEnd, id: last },
        ];
  const writer = createWriter();
  bridgeFlags.encode(writer, { flags: 'bridge' in owner ? BRIDGE_FLAGS_SELF : undefined });
  vlanInfos.encode(writer, infos);
  return {
    operation: `${verb} ${ids} ${'bridge' in owner ? 'of bridge' : 'of bridge port'} ${link.name}`,
    type,
    body: linkMessage.encode({ family: AF_BRIDGE, index: link.index }, { afSpec: writer.finish() }),
  };
}

/** A vlan that is let through. */
export interface BridgeVlan {
  readonly id: number;
  readonly pvid: boolean;
  readonly untagged: boolean;
}

/** The vlans of all bridges and ports of the namespace, by the link's index, in order. Throws NetlinkError. */
export function listBridgeVlans(connection: Connection): Map<number, BridgeVlan[]> {
  const frames = connection.dump({
    operation: 'list bridge vlans',
    type: RTM_GETLINK,
    body: linkMessage.encode({ family: AF_BRIDGE }, { extMask: RTEXT_FILTER_BRVLAN_COMPRESSED }),
  });
  const byLink = new Map<number, BridgeVlan[]>();
  for (const frame of frames) {
    const { header, attributes: link } = linkMessage.decode(frame.body);
    const infos = link.afSpec === undefined ? [] : vlanInfos.decode(link.afSpec);
    byLink.set(header.index, [...(byLink.get(header.index) ?? []), ...expand(infos)]);
  }
  return byLink;
}

/**
 * The vlans of one port, or a bridge's own, in order: at a cost that does not grow with other ports where the kernel
 * can tell them apart (RTM_GETVLAN, Linux 5.6). Throws NetlinkError.
 */
export function getBridgeVlans(connection: Connection, owner: BridgeVlanOwner): BridgeVlan[] {
  const link = 'bridge' in owner ? owner.bridge : owner.port;
  const writer = createWriter();
  vlanHeader.encode(writer, { family: AF_BRIDGE, index: link.index });
  try {
    const operation = `list vlans of ${link.name}`;
    const frames = connection.dump({ operation, type: RTM_GETVLAN, body: writer.finish() });
    return frames
      .flatMap(({ body }) => vlanEntries.decode(body.subarray(vlanHeader.size)))
      .flatMap(expandEntry);
  } catch (error) {
    // The kernel is older, or without vlan filtering; or the link is no port, and has no vlans.
    if (!isNetlinkError(error, 'EOPNOTSUPP', 'EINVAL')) throw error;
    return listBridgeVlans(connection).get(link.index) ?? [];
  }
}

function expandEntry({ info, last }: ValueOf<typeof vlanEntry>): BridgeVlan[] {
  if (info === undefined) return [];
  const { pvid, untagged } = readFlags(vlanFlags, info.flags);
  const length = (last ?? info.id) - info.id + 1;
  return Array.from({ length }, (_, offset) => ({ id: info.id + offset, pvid, untagged }));
}

function expand(infos: readonly VlanInfo[]): BridgeVlan[] {
  const vlans: BridgeVlan[] = [];
  let rangeStart: number | undefined;
  for (const info of infos) {
    const { pvid, untagged, rangeBegin } = readFlags(vlanFlags, info.flags);
    if (rangeBegin) {
      rangeStart = info.id;
      continue;
    }
    for (let id = rangeStart ?? info.id; id <= info.id; id++) vlans.push({ id, pvid, untagged });
    rangeStart = undefined;
  }
  return vlans;
}
