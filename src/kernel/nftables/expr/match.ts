/** A match of iptables, as iptables-nft has those in its rules that it has no expression for (enum nft_match_attributes). */
import type { XtMatch } from '../../iptables/match.ts';
import { attribute } from '../../netlink/attributes.ts';
import { be32, cstring, rawBytes } from '../../netlink/codec.ts';
import { type Expression, expressionKind } from './expression.ts';

/** NFTA_MATCH_: for reading rules back. */
export const matchKind = expressionKind('match', {
  name: attribute(1, cstring),
  revision: attribute(2, be32),
  info: attribute(3, rawBytes),
});

/** The kernel's XT_ALIGN: what a match says has a multiple of this many bytes. */
const alignment = 8;

/** `[ match name comment rev 0 ]` */
export function match({ name, revision, info }: XtMatch): Expression {
  const padded = new Uint8Array(Math.ceil(info.length / alignment) * alignment);
  padded.set(info);
  return matchKind.make({ name, revision, info: padded });
}
