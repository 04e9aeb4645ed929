/** How a port is chosen in address translation (linux/netfilter/nf_nat.h, NF_NAT_RANGE_). */

/** nft's flags: `random` hashes the port, `fully-random` draws it, `persistent` keeps one address per client. */
export type NatFlags = readonly ('random' | 'fully-random' | 'persistent')[];

const NF_NAT_RANGE_PROTO_SPECIFIED = 0x2;
const bits = { random: 0x4, persistent: 0x8, 'fully-random': 0x10 } as const;

/** The kernel's bits. */
export function natFlagBits(flags: NatFlags | undefined, portGiven: boolean): number {
  return (flags ?? []).reduce((sum, name) => sum | bits[name], portGiven ? NF_NAT_RANGE_PROTO_SPECIFIED : 0);
}
