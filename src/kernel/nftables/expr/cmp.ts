/** Goes on with the rule only if a register compares so with a constant (enum nft_cmp_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { dataCodec } from '../data.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** enum nft_cmp_ops. */
const operators = { '==': 0, '!=': 1, '<': 2, '<=': 3, '>': 4, '>=': 5 } as const;

/** A comparison, by nft's signs. */
export type Comparison = keyof typeof operators;

/** NFTA_CMP_: for reading rules back. */
export const cmpKind = expressionKind('cmp', {
  source: attribute(1, be32),
  operator: attribute(2, be32),
  data: attribute(3, dataCodec),
});

/** `[ cmp eq reg 1 0x00000002 ]`: bytes are compared from the first, so ordering needs network byte order. */
export function cmp(source: Register, operator: Comparison, value: Uint8Array): Expression {
  return cmpKind.make({ source, operator: operators[operator], data: { value } });
}
