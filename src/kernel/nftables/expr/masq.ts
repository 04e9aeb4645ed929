/** Source translation to the outgoing interface's own address (enum nft_masq_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { type Expression, expressionKind } from './expression.ts';
import { type NatFlags, natFlagBits } from './nat-flags.ts';

/** NFTA_MASQ_: for reading rules back. */
export const masqKind = expressionKind('masq', { flags: attribute(1, be32) });

/** `[ masq ]` */
export function masq(flags?: NatFlags): Expression {
  const bits = natFlagBits(flags, false);
  return masqKind.make(bits === 0 ? {} : { flags: bits });
}
