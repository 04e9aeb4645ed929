/** Every expression that rules can be made of here, one file each. */
export { bitwise, bitwiseKind } from './bitwise.ts';
export { type Comparison, cmp, cmpKind } from './cmp.ts';
export { counter, counterKind } from './counter.ts';
export { type CtKey, ctKind, ctLoad, ctSet } from './ct.ts';
export {
  type Expression,
  type ExpressionKind,
  expressionKind,
  firstRegister,
  type Register,
  registerAt,
} from './expression.ts';
export { fibAddressType, fibKind } from './fib.ts';
export { immediate, immediateKind, immediateVerdict } from './immediate.ts';
export { lookup, lookupKind, lookupMap, lookupVerdict } from './lookup.ts';
export { masq, masqKind } from './masq.ts';
export { match, matchKind } from './match.ts';
export { type MetaKey, metaKind, metaLoad, metaSet } from './meta.ts';
export { type Nat, nat, natKind } from './nat.ts';
export type { NatFlags } from './nat-flags.ts';
export { type PayloadBase, payload, payloadKind } from './payload.ts';
export { range, rangeKind } from './range.ts';
export { reject, rejectKind } from './reject.ts';
