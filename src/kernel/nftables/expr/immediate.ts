/** Puts a constant into a register, or a verdict into the verdict register (enum nft_immediate_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { dataCodec, type Verdict, verdictData } from '../data.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

const NFT_REG_VERDICT = 0;

/** NFTA_IMMEDIATE_: for reading rules back. */
export const immediateKind = expressionKind('immediate', {
  destination: attribute(1, be32),
  data: attribute(2, dataCodec),
});

/** `[ immediate reg 1 0x01010101 ]` */
export function immediate(destination: Register, value: Uint8Array): Expression {
  return immediateKind.make({ destination, data: { value } });
}

/** `[ immediate reg 0 jump -> web ]` */
export function immediateVerdict(verdict: Verdict): Expression {
  return immediateKind.make({ destination: NFT_REG_VERDICT, data: verdictData(verdict) });
}
