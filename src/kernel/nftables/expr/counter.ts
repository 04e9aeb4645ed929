/** Counts packets and bytes (enum nft_counter_attributes). */
import { attribute } from '../../netlink/attributes.ts';
import { be64 } from '../../netlink/codec.ts';
import { type Expression, expressionKind } from './expression.ts';

/** NFTA_COUNTER_: for reading what was counted. */
export const counterKind = expressionKind('counter', {
  bytes: attribute(1, be64),
  packets: attribute(2, be64),
});

/** `[ counter pkts 0 bytes 0 ]` */
export function counter(): Expression {
  return counterKind.make({});
}
