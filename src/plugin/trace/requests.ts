/** Netlink requests in words: the message's type, its flags, and what it says. */

import { NFT_MSG } from '../../kernel/nftables/operation.ts';
import { addressMessage } from '../../kernel/rtnetlink/address.ts';
import { decodeLinkData, isKnownKind } from '../../kernel/rtnetlink/kinds/kinds.ts';
import { linkMessage } from '../../kernel/rtnetlink/link-message.ts';
import { routeMessage } from '../../kernel/rtnetlink/route-message.ts';
import { formatAddress, type IpAddress } from '../../lib/ip.ts';
import type { TracedRequest } from '../../lib/trace.ts';
import type { RequestEntry } from './entry.ts';

/** The objects of rtnetlink in the order of their types: RTM_NEWLINK is 16, and each has NEW, DEL, GET, SET (linux/rtnetlink.h). */
const objects: Readonly<Record<number, string>> = {
  16: 'LINK',
  20: 'ADDR',
  24: 'ROUTE',
  28: 'NEIGH',
  32: 'RULE',
  36: 'QDISC',
  112: 'VLAN',
};
const verbs = ['NEW', 'DEL', 'GET', 'SET'] as const;

const nftNames = new Map<number, string>(
  Object.entries(NFT_MSG).map(([name, type]) => [type, `NFT_MSG_${name}`]),
);

/** NFNL_SUBSYS_CTNETLINK in the high byte (linux/netfilter/nfnetlink_conntrack.h). */
const conntrackNames = ['IPCTNL_MSG_CT_NEW', 'IPCTNL_MSG_CT_GET', 'IPCTNL_MSG_CT_DELETE'] as const;

function typeName(type: number): string {
  const nft = nftNames.get(type);
  if (nft !== undefined) return nft;
  if (type >> 8 === 1) return conntrackNames[type & 0xff] ?? `conntrack ${type & 0xff}`;
  const object = objects[type & ~3];
  return object === undefined ? `message type ${type}` : `RTM_${verbs[type & 3]}${object}`;
}

/** NLM_F_ flags of requests that make something; of those that read, the same bits ask for a list. */
const creating = { replace: 0x100, excl: 0x200, create: 0x400, append: 0x800 } as const;

function flagNames(name: string, flags: number): string[] {
  if (!/NEW|SET/.test(name)) return [];
  return Object.entries(creating).flatMap(([word, bit]) => ((flags & bit) === 0 ? [] : [word]));
}

/** Reads a request. What cannot be read is left out. */
export function describeRequest({ operation, type, flags = 0, body }: TracedRequest): RequestEntry {
  const name = typeName(type);
  const message = [name, ...flagNames(name, flags)].join(' ');
  const values = valuesOf(name, body);
  return { operation, message, ...(Object.keys(values).length > 0 && { values }) };
}

function valuesOf(name: string, body: Uint8Array): Record<string, unknown> {
  try {
    if (name.endsWith('LINK')) return linkValues(body);
    if (name.endsWith('ADDR')) return flat(addressMessage.decode(body), ['index', 'prefixLength']);
    if (name.endsWith('ROUTE')) return flat(routeMessage.decode(body), ['dstLength', 'table', 'protocol']);
  } catch {
    // A message for which the decoder was not made.
  }
  return {};
}

function linkValues(body: Uint8Array): Record<string, unknown> {
  const { header, attributes } = linkMessage.decode(body);
  const { info = {}, extMask: _, ...rest } = attributes;
  const { kind, data } = info;
  const decoded = isKnownKind(kind) && data !== undefined ? decodeLinkData(kind, data) : undefined;
  const flags = { ...(header.change & 1 && { up: (header.flags & 1) !== 0 }) };
  return flat({ header: { ...header, ...flags }, attributes: { ...rest, kind, data: decoded } }, [
    'index',
    'up',
  ]);
}

/** Header fields that say something, and the attributes that are there, as JSON can hold them. */
function flat(
  { header, attributes }: { readonly header: object; readonly attributes: object },
  fields: readonly string[],
): Record<string, unknown> {
  const told = Object.entries(header).filter(([key, value]) => fields.includes(key) && value !== 0);
  return plain(Object.fromEntries([...told, ...Object.entries(attributes)])) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.toHex();
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isAddress(value)) return formatAddress(value);
  if (Array.isArray(value)) return value.map(plain);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

function isAddress(value: object): value is IpAddress {
  return 'family' in value && 'value' in value && typeof value.value === 'bigint';
}
