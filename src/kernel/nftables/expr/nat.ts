/** Translates addresses and ports: snat and dnat (enum nft_nat_attributes). */
import type { IpFamily } from '../../../lib/ip.ts';
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';
import { type NatFlags, natFlagBits } from './nat-flags.ts';

/** enum nft_nat_types. */
const types = { snat: 0, dnat: 1 } as const;
/** NFPROTO_IPV4 and NFPROTO_IPV6, linux/netfilter.h. */
const families = { 4: 2, 6: 10 } as const;

/** NFTA_NAT_: for reading rules back. */
export const natKind = expressionKind('nat', {
  type: attribute(1, be32),
  family: attribute(2, be32),
  address: attribute(3, be32),
  port: attribute(5, be32),
  flags: attribute(7, be32),
});

/** Which way, and in which registers the new address and port are; without a port it stays as it is. */
export interface Nat {
  readonly type: keyof typeof types;
  readonly family: IpFamily;
  readonly address?: Register;
  readonly port?: Register;
  readonly flags?: NatFlags;
}

/** `[ nat dnat ip addr_min reg 1 proto_min reg 2 flags 0x2 ]` */
export function nat({ type, family, address, port, flags }: Nat): Expression {
  const bits = natFlagBits(flags, port !== undefined);
  return natKind.make({
    type: types[type],
    family: families[family],
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
    ...(bits === 0 ? {} : { flags: bits }),
  });
}
