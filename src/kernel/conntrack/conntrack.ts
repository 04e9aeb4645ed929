/** Entries of connection tracking: found and deleted (enum ctattr_type, linux/netfilter/nfnetlink_conntrack.h). */
import type { IpAddress, IpFamily } from '../../lib/ip.ts';
import { attribute, attributes } from '../netlink/attributes.ts';
import { be16, be32, u32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Frame } from '../netlink/message.ts';
import {
  type LayoutValues,
  NFNL_SUBSYS_CTNETLINK,
  nfnetlinkLayout,
  nfnetlinkType,
} from '../netlink/nfnetlink.ts';
import { type Destination, encodeTupleFilter, matchesTuple, type TupleFilter, tupleBytes } from './tuple.ts';

/** enum cntl_msg_types, with nfnetlink's subsystem in the high byte. */
const IPCTNL_MSG_CT = {
  GET: nfnetlinkType(NFNL_SUBSYS_CTNETLINK, 1),
  DELETE: nfnetlinkType(NFNL_SUBSYS_CTNETLINK, 2),
} as const;

/** NFPROTO_IPV4 and NFPROTO_IPV6, linux/netfilter.h. */
const familyNumbers = { 4: 2, 6: 10 } as const;

/** Which of a tuple's values a dump's filter compares: bits of net/netfilter/nf_internals.h, Linux 5.8. */
const CTA_FILTER_F_IP_DST = 1 << 1;
const CTA_FILTER_F_PROTO_NUM = 1 << 3;
const CTA_FILTER_F_PROTO_DST_PORT = 1 << 5;

const layout = nfnetlinkLayout({
  original: attribute(1, tupleBytes),
  id: attribute(12, be32),
  zone: attribute(18, be16),
  // CTA_FILTER: CTA_FILTER_ORIG_FLAGS, CTA_FILTER_REPLY_FLAGS.
  filter: attribute(25, attributes({ original: attribute(1, u32), reply: attribute(2, u32) })),
});

/** Which entries: all that agree with every value given. */
export interface ConntrackFilter {
  readonly family: IpFamily;
  /** An IPPROTO_ number, linux/in.h: 6 is TCP, 17 UDP, 132 SCTP. */
  readonly protocol: number;
  /** The destination's port as it was sent to, before any translation. */
  readonly originalDestinationPort?: number;
  /** The destination as it was sent to, before any translation. */
  readonly originalDestination?: IpAddress;
  /** Asked last, of the destination before any translation. */
  readonly accepts?: (destination: Destination) => boolean;
}

/**
 * Deletes the entries of flows that the filter names, whatever zone they are in, so that the flows' next packets
 * are looked at anew. Returns how many there were. A kernel without connection tracking over netlink has none. Throws NetlinkError.
 */
export function deleteConntrackEntries(connection: Connection, filter: ConntrackFilter): number {
  const wanted: TupleFilter = {
    protocol: filter.protocol,
    ...(filter.originalDestinationPort === undefined
      ? {}
      : { destinationPort: filter.originalDestinationPort }),
    ...(filter.originalDestination === undefined ? {} : { destination: filter.originalDestination }),
  };
  const entries = (listFiltered(connection, filter, wanted) ?? listAll(connection, filter) ?? [])
    .map((frame) => layout.decode(frame.body).attributes)
    // Kernels before 5.8 pass over the filter and answer with all that they have.
    .filter(({ original }) => original !== undefined && matchesTuple(original, wanted, filter.accepts));
  for (const entry of entries) deleteEntry(connection, filter, entry);
  return entries.length;
}

/** A dump that the kernel filters; undefined if it knows no filter or no connection tracking. */
function listFiltered(
  connection: Connection,
  { family }: ConntrackFilter,
  wanted: TupleFilter,
): Frame[] | undefined {
  // An IPv6 address is not for the kernel to compare: it passes over the entries that have it, and answers with those
  // that have another (ctnetlink_filter_match_tuple, nf_conntrack_netlink.c, takes ipv6_addr_cmp the wrong way round).
  const { destination, ...rest } = wanted;
  const asked = destination?.family === 4 ? wanted : rest;
  const flags =
    CTA_FILTER_F_PROTO_NUM |
    (asked.destinationPort === undefined ? 0 : CTA_FILTER_F_PROTO_DST_PORT) |
    (asked === rest ? 0 : CTA_FILTER_F_IP_DST);
  const values = { original: encodeTupleFilter(asked), filter: { original: flags, reply: 0 } };
  return list(connection, layout.encode({ family: familyNumbers[family] }, values));
}

function listAll(connection: Connection, { family }: ConntrackFilter): Frame[] | undefined {
  return list(connection, layout.encode({ family: familyNumbers[family] }, {}));
}

function list(connection: Connection, body: Uint8Array): Frame[] | undefined {
  try {
    return connection.dump({ operation: 'list conntrack entries', type: IPCTNL_MSG_CT.GET, body });
  } catch (error) {
    // EINVAL: no such subsystem in this kernel (nfnetlink_rcv_msg, net/netfilter/nfnetlink.c).
    if (isNetlinkError(error, 'EINVAL', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function deleteEntry(
  connection: Connection,
  filter: ConntrackFilter,
  { original, id, zone }: LayoutValues<typeof layout>,
): void {
  // The id, so that nothing is deleted that has come in the entry's place meanwhile.
  const values = { original, ...(id === undefined ? {} : { id }), ...(zone === undefined ? {} : { zone }) };
  try {
    connection.request({
      operation: `delete a conntrack entry of protocol ${filter.protocol}`,
      type: IPCTNL_MSG_CT.DELETE,
      body: layout.encode({ family: familyNumbers[filter.family] }, values),
    });
  } catch (error) {
    // It ended by itself meanwhile.
    if (!isNetlinkError(error, 'ENOENT')) throw error;
  }
}
