/** What Fairlead's rules are made of, by the words that nft has for it. Registers are used from the first one on. */
import type { Verdict } from '../../../kernel/nftables/data.ts';
import { ctState, ifName, mark as markType } from '../../../kernel/nftables/datatype.ts';
import { bitwise } from '../../../kernel/nftables/expr/bitwise.ts';
import { cmp } from '../../../kernel/nftables/expr/cmp.ts';
import { ctLoad } from '../../../kernel/nftables/expr/ct.ts';
import { type Expression, firstRegister, registerAt } from '../../../kernel/nftables/expr/expression.ts';
import { fibAddressType } from '../../../kernel/nftables/expr/fib.ts';
import { immediateVerdict } from '../../../kernel/nftables/expr/immediate.ts';
import { lookupVerdict } from '../../../kernel/nftables/expr/lookup.ts';
import { masq } from '../../../kernel/nftables/expr/masq.ts';
import { metaLoad, metaSet } from '../../../kernel/nftables/expr/meta.ts';
import { payload } from '../../../kernel/nftables/expr/payload.ts';
import type { Rule } from '../../../kernel/nftables/rule.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import { addressToBytes, type IpFamily, netmask, networkOf, type Prefix } from '../../../lib/ip.ts';

/** NFPROTO_IPV4 and NFPROTO_IPV6, linux/netfilter.h. */
const protocols = { 4: 2, 6: 10 } as const;
/** Offset and length of the addresses in the headers of IPv4 (RFC 791) and IPv6 (RFC 8200). */
const addressFields = {
  4: { saddr: 12, daddr: 16, length: 4 },
  6: { saddr: 8, daddr: 24, length: 16 },
} as const;
/** NF_CT_STATE_BIT (net/netfilter/nf_conntrack.h) of IP_CT_ESTABLISHED and IP_CT_RELATED. */
const answers = (1 << 1) | (1 << 2);
/** RTN_LOCAL, linux/rtnetlink.h. */
const RTN_LOCAL = Uint8Array.of(2, 0, 0, 0);

/** Which of a packet's addresses. */
export type AddressField = 'saddr' | 'daddr';

/** A rule of these statements; its comment says what it is for, and CHECK finds it by that. */
export function rule(comment: string, ...statements: readonly (readonly Expression[])[]): Rule {
  return { comment, expressions: statements.flat() };
}

/** `meta nfproto ipv4` */
export function ofFamily(family: IpFamily): Expression[] {
  return [metaLoad('nfproto', firstRegister), cmp(firstRegister, '==', Uint8Array.of(protocols[family]))];
}

/** Loads an address of a packet whose family is known. */
export function loadAddress(family: IpFamily, field: AddressField, register = firstRegister): Expression {
  const fields = addressFields[family];
  return payload('network', fields[field], fields.length, register);
}

/** `ip saddr 10.1.0.0/16`, or with `!=`; the whole family for a prefix of length 0. */
export function addressIs(field: AddressField, operator: '==' | '!=', prefix: Prefix): Expression[] {
  const { family } = prefix.address;
  const value = addressToBytes(networkOf(prefix).address);
  const mask = addressToBytes(netmask(family, prefix.length));
  const isWhole = prefix.length === value.length * 8;
  return [
    ...ofFamily(family),
    loadAddress(family, field),
    ...(isWhole ? [] : [bitwise(firstRegister, mask, new Uint8Array(mask.length))]),
    cmp(firstRegister, operator, value),
  ];
}

/** `ip saddr vmap @map` */
export function addressVerdict(family: IpFamily, field: AddressField, map: string): Expression[] {
  return [...ofFamily(family), loadAddress(family, field), lookupVerdict(map, firstRegister)];
}

/** `iifname "eth0"`; a name that ends in `*` stands for all that begin so. */
export function interfaceIs(key: 'iifname' | 'oifname', operator: '==' | '!=', name: string): Expression[] {
  const value = name.endsWith('*') ? bytesFromText(name.slice(0, -1)) : ifName.encode(name);
  return [metaLoad(key, firstRegister), cmp(firstRegister, operator, value)];
}

/** `fib daddr type local`: the destination is an address of this node. */
export function toThisNode(): Expression[] {
  return [fibAddressType('daddr', firstRegister), cmp(firstRegister, '==', RTN_LOCAL)];
}

/** `mark and MASK == VALUE`, or with `!=`. */
export function markIs(operator: '==' | '!=', value: number, mask = 0xffff_ffff): Expression[] {
  return [
    metaLoad('mark', firstRegister),
    bitwise(firstRegister, markType.encode(mask), markType.encode(0)),
    cmp(firstRegister, operator, markType.encode((value & mask) >>> 0)),
  ];
}

/** `meta mark set mark or 0x2000`, for bit 13. */
export function setMarkBit(bit: number): Expression[] {
  const value = bitMask(bit);
  return [
    metaLoad('mark', firstRegister),
    bitwise(firstRegister, markType.encode(~value >>> 0), markType.encode(value)),
    metaSet('mark', firstRegister),
  ];
}

/** `meta mark set mark and ~0x2000`, for bit 13. */
export function clearMarkBit(bit: number): Expression[] {
  return [
    metaLoad('mark', firstRegister),
    bitwise(firstRegister, markType.encode(~bitMask(bit) >>> 0), markType.encode(0)),
    metaSet('mark', firstRegister),
  ];
}

/** `ct state established,related` */
export function isAnswer(): Expression[] {
  const none = ctState.encode(0);
  return [
    ctLoad('state', firstRegister),
    bitwise(firstRegister, ctState.encode(answers), none),
    cmp(firstRegister, '!=', none),
  ];
}

/** The mark that has this bit, 0–31, and no other. */
export function bitMask(bit: number): number {
  return (1 << bit) >>> 0;
}

/** `masquerade` */
export function masquerade(): Expression[] {
  return [masq()];
}

/** `accept`, `return`, `jump chain`: what becomes of the packet. */
export function verdict(what: Verdict): Expression[] {
  return [immediateVerdict(what)];
}

/** Loads a key of several fields, each into the registers after the one before. */
export function loadKey(
  fields: readonly { readonly size: number; load(register: number): Expression }[],
): Expression[] {
  let offset = 0;
  return fields.map(({ size, load }) => {
    const expression = load(registerAt(offset));
    offset += (size + 3) & ~3;
    return expression;
  });
}
