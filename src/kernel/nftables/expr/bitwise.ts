/** Computes `(register & mask) ^ xor` (enum nft_bitwise_attributes, NFT_BITWISE_MASK_XOR). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { dataCodec } from '../data.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** NFTA_BITWISE_: for reading rules back. */
export const bitwiseKind = expressionKind('bitwise', {
  source: attribute(1, be32),
  destination: attribute(2, be32),
  length: attribute(3, be32),
  mask: attribute(4, dataCodec),
  xor: attribute(5, dataCodec),
});

/** `[ bitwise reg 1 = ( reg 1 & 0x00002000 ) ^ 0x00000000 ]`; mask and xor have the value's length. */
export function bitwise(register: Register, mask: Uint8Array, xor: Uint8Array): Expression {
  if (mask.length !== xor.length) {
    throw new RangeError(`bitwise: a mask of ${mask.length} bytes and an xor of ${xor.length}`);
  }
  return bitwiseKind.make({
    source: register,
    destination: register,
    length: mask.length,
    mask: { value: mask },
    xor: { value: xor },
  });
}
