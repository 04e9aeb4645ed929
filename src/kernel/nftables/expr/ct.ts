/** Loads or sets what connection tracking knows of a packet's connection (enum nft_ct_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be32, u8 } from '../../netlink/codec.ts';
import { type Expression, expressionKind, type Register } from './expression.ts';

/** enum nft_ct_keys. */
const keys = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  protocol: 10,
  'proto-src': 11,
  'proto-dst': 12,
  'ip saddr': 19,
  'ip daddr': 20,
  'ip6 saddr': 21,
  'ip6 daddr': 22,
} as const;

/** What to load, by nft's names. */
export type CtKey = keyof typeof keys;

/** NFTA_CT_: for reading rules back. */
export const ctKind = expressionKind('ct', {
  destination: attribute(1, be32),
  key: attribute(2, be32),
  direction: attribute(3, u8),
  source: attribute(4, be32),
});

/** `[ ct load status => reg 1 ]`; addresses and ports are those of the original or of the reply direction. */
export function ctLoad(key: CtKey, destination: Register, direction?: 'original' | 'reply'): Expression {
  return ctKind.make({
    destination,
    key: keys[key],
    ...(direction === undefined ? {} : { direction: direction === 'original' ? 0 : 1 }),
  });
}

/** `[ ct set mark with reg 1 ]` */
export function ctSet(key: 'mark', source: Register): Expression {
  return ctKind.make({ key: keys[key], source });
}
