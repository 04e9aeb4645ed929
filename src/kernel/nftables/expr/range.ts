/** Goes on with the rule only if a register lies within, or outside, two constants (enum nft_range_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { dataCodec } from '../data.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** NFTA_RANGE_: for reading rules back. */
export const rangeKind = expressionKind('range', {
  source: attribute(1, be32),
  operator: attribute(2, be32),
  from: attribute(3, dataCodec),
  to: attribute(4, dataCodec),
});

/** `[ range neq reg 1 0x00005000 0x00005a00 ]`: both ends belong to the range. */
export function range(source: Register, operator: '==' | '!=', from: Uint8Array, to: Uint8Array): Expression {
  return rangeKind.make({
    source,
    operator: operator === '==' ? 0 : 1,
    from: { value: from },
    to: { value: to },
  });
}
