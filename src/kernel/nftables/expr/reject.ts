/** Refuses a packet with an answer to its sender (enum nft_reject_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32, u8 } from '../../netlink/codec.ts';
import { type Expression, expressionKind } from './expression.ts';

/** enum nft_reject_types: ICMP of the packet's own family, a TCP reset, or ICMP by a code for both families. */
const types = { icmp: 0, 'tcp reset': 1, icmpx: 2 } as const;

/** NFTA_REJECT_: for reading rules back. */
export const rejectKind = expressionKind('reject', { type: attribute(1, be32), code: attribute(2, u8) });

/** `[ reject type 0 code 3 ]`; a TCP reset has no code. */
export function reject(type: keyof typeof types, code: number): Expression {
  return rejectKind.make(type === 'tcp reset' ? { type: types[type] } : { type: types[type], code });
}
