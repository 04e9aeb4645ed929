/** Forwarding entries: which port of a bridge, or which far end of a VXLAN, a hardware address is behind. */
import type { IpAddress } from '../../lib/ip.ts';
import type { MacAddress } from '../../lib/mac.ts';
import type { Connection } from '../netlink/connection.ts';
import {
  type Frame,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  type Request,
} from '../netlink/message.ts';
import { AF_BRIDGE } from './codecs.ts';
import type { LinkIdentity } from './link.ts';
import {
  neighbourFlags,
  neighbourMessage,
  neighbourStates,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from './neighbour-message.ts';

/** A forwarding entry that is there. */
export interface FdbEntry {
  readonly linkIndex: number;
  readonly mac: MacAddress;
  readonly vlan?: number | undefined;
  /** VXLAN: the far end. */
  readonly dst?: IpAddress | undefined;
  /** The bridge that has the entry; absent where it is the link's own table. */
  readonly master?: number | undefined;
  /** `permanent`: an address of the host itself; `static`: given, never ages; `dynamic`: learned or given, ages. */
  readonly lifetime: 'permanent' | 'static' | 'dynamic';
}

/** A forwarding entry to be added: in the bridge of a port, or in the link's own table (VXLAN, or a NIC's filter). */
export type NewFdbEntry = {
  readonly mac: MacAddress;
  readonly vlan?: number | undefined;
} & (
  | { readonly table: 'master'; readonly lifetime: FdbEntry['lifetime'] }
  | { readonly table: 'self'; readonly dst?: IpAddress | undefined; readonly vni?: number | undefined }
);

/** Forwarding entries of the namespace; of one link, or of one bridge with all its ports. Throws NetlinkError. */
export function listFdb(
  connection: Connection,
  filter: { readonly link: LinkIdentity } | { readonly bridge: LinkIdentity } | Record<never, never> = {},
): FdbEntry[] {
  // Strict checking takes the link in the header and the bridge as an attribute (valid_fdb_dump_strict).
  const index = 'link' in filter ? filter.link.index : undefined;
  const master = 'bridge' in filter ? filter.bridge.index : undefined;
  const body = neighbourMessage.encode({ family: AF_BRIDGE, index }, { master });
  const frames = connection.dump({ operation: 'list forwarding entries', type: RTM_GETNEIGH, body });
  return frames.flatMap((frame) => decode(frame) ?? []);
}

function decode(frame: Frame): FdbEntry | undefined {
  const { header, attributes } = neighbourMessage.decode(frame.body);
  if (header.family !== AF_BRIDGE || attributes.mac === undefined) return undefined;
  const { mac, vlan, dst, master } = attributes;
  return { linkIndex: header.index, mac, vlan, dst, master, lifetime: lifetimeOf(header.state) };
}

function lifetimeOf(state: number): FdbEntry['lifetime'] {
  if ((state & neighbourStates.permanent) !== 0) return 'permanent';
  return (state & neighbourStates.noArp) !== 0 ? 'static' : 'dynamic';
}

const states = {
  permanent: neighbourStates.permanent,
  static: neighbourStates.noArp,
  dynamic: neighbourStates.reachable,
};

/** Adds a forwarding entry; EEXIST when the address has one. */
export function addFdbEntryRequest(link: LinkIdentity, entry: NewFdbEntry): Request {
  return request('add', RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, link, entry);
}

/** Sends addFdbEntryRequest. Throws NetlinkError. */
export function addFdbEntry(connection: Connection, link: LinkIdentity, entry: NewFdbEntry): void {
  connection.request(addFdbEntryRequest(link, entry));
}

/** Adds one more far end for an address, which then goes to each: VXLAN's all-zero address, for floods. */
export function appendFdbEntryRequest(link: LinkIdentity, entry: NewFdbEntry): Request {
  return request('append', RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, link, entry);
}

/** Adds a forwarding entry in place of the one that the address has. */
export function replaceFdbEntryRequest(link: LinkIdentity, entry: NewFdbEntry): Request {
  return request('replace', RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, link, entry);
}

/** Deletes a forwarding entry; ENOENT when there is none. */
export function deleteFdbEntryRequest(link: LinkIdentity, entry: NewFdbEntry): Request {
  return request('delete', RTM_DELNEIGH, 0, link, entry);
}

/** Sends deleteFdbEntryRequest. Throws NetlinkError. */
export function deleteFdbEntry(connection: Connection, link: LinkIdentity, entry: NewFdbEntry): void {
  connection.request(deleteFdbEntryRequest(link, entry));
}

function request(verb: string, type: number, flags: number, link: LinkIdentity, entry: NewFdbEntry): Request {
  const { mac, vlan, table } = entry;
  const self = table === 'self' ? { dst: entry.dst, vni: entry.vni } : {};
  const state = table === 'self' ? states.permanent : states[entry.lifetime];
  return {
    operation: `${verb} forwarding entry ${mac} of link ${link.name}`,
    type,
    flags,
    body: neighbourMessage.encode(
      { family: AF_BRIDGE, index: link.index, state, flags: neighbourFlags[table] },
      { mac, vlan, ...self },
    ),
  };
}
