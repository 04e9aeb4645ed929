/** Looks a register up in a set or map (enum nft_lookup_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32, cstring } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

const NFT_LOOKUP_F_INV = 1;
const NFT_REG_VERDICT = 0;

/** NFTA_LOOKUP_: for reading rules back. */
export const lookupKind = expressionKind('lookup', {
  set: attribute(1, cstring),
  source: attribute(2, be32),
  destination: attribute(3, be32),
  flags: attribute(5, be32),
});

/** `[ lookup reg 1 set pods ]`: goes on if the key is in the set, or with `inverted` if it is not. */
export function lookup(set: string, source: Register, inverted = false): Expression {
  return lookupKind.make({ set, source, ...(inverted ? { flags: NFT_LOOKUP_F_INV } : {}) });
}

/** `[ lookup reg 1 set ports dreg 1 ]`: the element's data is put into a register. */
export function lookupMap(set: string, source: Register, destination: Register): Expression {
  return lookupKind.make({ set, source, destination });
}

/** `[ lookup reg 1 set chains dreg 0 ]`: the element's verdict is carried out. */
export function lookupVerdict(set: string, source: Register): Expression {
  return lookupKind.make({ set, source, destination: NFT_REG_VERDICT });
}
