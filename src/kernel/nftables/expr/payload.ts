/** Loads bytes of the packet into a register (enum nft_payload_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** enum nft_payload_bases. */
const bases = { link: 0, network: 1, transport: 2 } as const;

/** The header that an offset counts from. */
export type PayloadBase = keyof typeof bases;

/** NFTA_PAYLOAD_: for reading rules back. */
export const payloadKind = expressionKind('payload', {
  destination: attribute(1, be32),
  base: attribute(2, be32),
  offset: attribute(3, be32),
  length: attribute(4, be32),
});

/** `[ payload load 4b @ network header + 16 => reg 1 ]` */
export function payload(
  base: PayloadBase,
  offset: number,
  length: number,
  destination: Register,
): Expression {
  return payloadKind.make({ destination, base: bases[base], offset, length });
}
