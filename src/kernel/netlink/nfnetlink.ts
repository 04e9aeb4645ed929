/** What nf_tables and conntrack share: struct nfgenmsg and message numbers (linux/netfilter/nfnetlink.h). */
import type { AttributeFields, AttributeValues } from './attributes.ts';
import { be16, u8 } from './codec.ts';
import { type MessageLayout, messageLayout } from './message.ts';

/** Subsystems of nfnetlink: the high byte of a message's type. */
export const NFNL_SUBSYS_CTNETLINK = 1;
export const NFNL_SUBSYS_NFTABLES = 10;

/** Begin and end of a batch; the begin message's resource id names the subsystem. */
export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;

/** struct nfgenmsg. */
export const nfgenmsg = { family: u8, version: u8, resourceId: be16 };

/** A message of nfnetlink: struct nfgenmsg (version NFNETLINK_V0), then the given attributes. */
export function nfnetlinkLayout<A extends AttributeFields>(fields: A): MessageLayout<typeof nfgenmsg, A> {
  return messageLayout(nfgenmsg, fields);
}

/** A message's type: subsystem and number within it. */
export function nfnetlinkType(subsystem: number, message: number): number {
  return (subsystem << 8) | message;
}

/** The values of a layout's attributes. */
export type LayoutValues<L> = L extends MessageLayout<typeof nfgenmsg, infer A> ? AttributeValues<A> : never;
