/** Operations: one message of a transaction each, with the nft command that says the same. */
import { type Connection, NETLINK_NETFILTER, openConnection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Frame, Request } from '../netlink/message.ts';
import { NFNL_SUBSYS_NFTABLES, nfnetlinkType } from '../netlink/nfnetlink.ts';
import type { SocketPlace } from '../netlink/socket.ts';
import { closeLater } from '../sys/close-later.ts';

/** enum nf_tables_msg_types, linux/netfilter/nf_tables.h, with nfnetlink's subsystem in the high byte. */
export const NFT_MSG = {
  NEWTABLE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 0),
  GETTABLE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 1),
  DELTABLE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 2),
  NEWCHAIN: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 3),
  GETCHAIN: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 4),
  DELCHAIN: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 5),
  NEWRULE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 6),
  GETRULE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 7),
  DELRULE: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 8),
  NEWSET: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 9),
  GETSET: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 10),
  DELSET: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 11),
  NEWSETELEM: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 12),
  GETSETELEM: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 13),
  DELSETELEM: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 14),
  GETGEN: nfnetlinkType(NFNL_SUBSYS_NFTABLES, 16),
} as const;

/** One change, carried out only as part of a transaction. */
export interface Operation {
  /** The command of nft(8) that does the same: for logs, dry runs and errors. */
  readonly text: string;
  /** The message's type, one of NFT_MSG. */
  readonly type: number;
  /** NLM_F_ flags besides NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number;
  /** Encodes the message's body; `id` is unique in the transaction (the kernel wants one for a set, NFTA_SET_ID). */
  readonly body: (id: number) => Uint8Array;
}

/**
 * Opens a socket for nf_tables in a network namespace, the process's own if none is given. The kernel frees what was
 * deleted before it lets the socket go (nft_rcv_nl_event, net/netfilter/nf_tables_api.c), for which it waits an RCU grace
 * period, ten milliseconds and more; `close` leaves that waiting to the kernel. Throws SystemError.
 */
export function openNftables(netns?: SocketPlace): Connection {
  const connection = openConnection(NETLINK_NETFILTER, netns);
  return { ...connection, close: () => closeLater(connection.fd) };
}

/** Reads one object; undefined when it, or what contains it, does not exist. Throws NetlinkError. */
export function readOne(connection: Connection, request: Request): Frame | undefined {
  return orAbsent(() => connection.request(request))?.[0];
}

/** Reads a list; undefined when what contains it does not exist. Throws NetlinkError. */
export function readAll(connection: Connection, request: Request): Frame[] | undefined {
  return orAbsent(() => connection.dump(request));
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isNetlinkError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
