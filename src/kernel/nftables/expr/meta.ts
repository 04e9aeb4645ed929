/** Loads or sets what the kernel knows of a packet besides its bytes (enum nft_meta_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32 } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** enum nft_meta_keys. */
const keys = {
  protocol: 1,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  nfproto: 15,
  l4proto: 16,
  ibrname: 17,
  obrname: 18,
  iifkind: 26,
  oifkind: 27,
} as const;

/** What to load, by nft's names. */
export type MetaKey = keyof typeof keys;

/** NFTA_META_: for reading rules back. */
export const metaKind = expressionKind('meta', {
  destination: attribute(1, be32),
  key: attribute(2, be32),
  source: attribute(3, be32),
});

/** `[ meta load mark => reg 1 ]` */
export function metaLoad(key: MetaKey, destination: Register): Expression {
  return metaKind.make({ destination, key: keys[key] });
}

/** `[ meta set mark with reg 1 ]` */
export function metaSet(key: 'mark', source: Register): Expression {
  return metaKind.make({ key: keys[key], source });
}
