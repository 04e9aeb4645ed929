/** Asks the routing table about a packet's address (enum nft_fib_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** NFT_FIB_RESULT_ADDRTYPE; the answer is a RTN_ number of linux/rtnetlink.h, in host byte order. */
const addressType = 3;
/** enum nft_fib_flags. */
const flags = { saddr: 1, daddr: 2 } as const;

/** NFTA_FIB_: for reading rules back. */
export const fibKind = expressionKind('fib', {
  destination: attribute(1, be32),
  result: attribute(2, be32),
  flags: attribute(3, be32),
});

/** `[ fib daddr type => reg 1 ]` */
export function fibAddressType(address: keyof typeof flags, destination: Register): Expression {
  return fibKind.make({ destination, result: addressType, flags: flags[address] });
}
