/** IP addresses of links: struct ifaddrmsg and the IFA_ attributes (linux/if_addr.h). */
import { formatPrefix, type IpAddress, type IpFamily, type Prefix, sameAddress } from '../../lib/ip.ts';
import { attribute } from '../netlink/attributes.ts';
import { cstring, ipAddress, struct, u8, u32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import {
  type Frame,
  messageLayout,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  type Request,
} from '../netlink/message.ts';
import { AF_UNSPEC, addressFamily, type Flags, ipFamily, readFlags, writeFlags } from './codecs.ts';
import type { LinkIdentity } from './link.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
/** INFINITY_LIFE_TIME, net/addrconf.h. */
const forever = 0xffff_ffff;

const message = messageLayout(
  { family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 },
  {
    address: attribute(1, ipAddress),
    local: attribute(2, ipAddress),
    label: attribute(3, cstring),
    broadcast: attribute(4, ipAddress),
    lifetimes: attribute(6, struct({ preferred: u32, valid: u32, created: u32, updated: u32 })),
    flags: attribute(8, u32),
    metric: attribute(9, u32),
    protocol: attribute(11, u8),
  },
);

/** For traces. */
export { message as addressMessage };

/** IFA_F_*: those that can be given, and those that the kernel tells. */
const givenFlags = {
  noDad: 0x2,
  optimistic: 0x4,
  homeAddress: 0x10,
  manageTempAddress: 0x100,
  noPrefixRoute: 0x200,
} as const;
const flags = {
  ...givenFlags,
  /** IPv4: not the first of its network on the link; IPv6: a temporary address. */
  secondary: 0x1,
  dadFailed: 0x8,
  deprecated: 0x20,
  /** Duplicate address detection is not done: the address cannot be used yet. */
  tentative: 0x40,
  permanent: 0x80,
} as const;

/** An address to be given to a link. */
export interface NewAddress {
  /** The address and its network's length; host bits set. */
  readonly prefix: Prefix;
  /** The other end's address, on a point-to-point link; the prefix length is then its. */
  readonly peer?: IpAddress | undefined;
  /** IPv4; the kernel sets none by itself. */
  readonly broadcast?: IpAddress | undefined;
  /** IPv4: a name that starts with the link's; the link's own when absent. */
  readonly label?: string | undefined;
  /** RT_SCOPE_*: 0 everywhere (the default), 253 this link, 254 this host. IPv6 finds it out by itself. */
  readonly scope?: number | undefined;
  /** The metric of the network's route. */
  readonly metric?: number | undefined;
  readonly noDad?: boolean | undefined;
  readonly optimistic?: boolean | undefined;
  readonly homeAddress?: boolean | undefined;
  readonly manageTempAddress?: boolean | undefined;
  /** The kernel makes no route to the address's network. */
  readonly noPrefixRoute?: boolean | undefined;
  /** Seconds from now; for ever when absent. */
  readonly validSeconds?: number | undefined;
  readonly preferredSeconds?: number | undefined;
}

/** An address that a link has. */
export interface Address {
  readonly linkIndex: number;
  readonly prefix: Prefix;
  readonly peer?: IpAddress | undefined;
  readonly broadcast?: IpAddress | undefined;
  readonly label?: string | undefined;
  readonly scope: number;
  readonly metric?: number | undefined;
  readonly flags: Flags<typeof flags>;
  readonly validSeconds?: number | undefined;
  readonly preferredSeconds?: number | undefined;
}

/** Which addresses to list; the kernel does the choosing. */
export interface AddressFilter {
  readonly link?: LinkIdentity | undefined;
  readonly family?: IpFamily | undefined;
}

/** Addresses of the namespace, of a link, of a family. ENODEV when there is no such link. Throws NetlinkError. */
export function listAddresses(connection: Connection, { link, family }: AddressFilter = {}): Address[] {
  const header = { family: family === undefined ? AF_UNSPEC : addressFamily(family), index: link?.index };
  const operation = `list addresses${link === undefined ? '' : ` of link ${link.name}`}`;
  const frames = connection.dump({ operation, type: RTM_GETADDR, body: message.encode(header, {}) });
  const addresses: Address[] = [];
  for (const frame of frames) {
    const address = decodeAddress(frame);
    if (address !== undefined) addresses.push(address);
  }
  return addresses;
}

/** Undefined for families other than IP, which a dump of all families holds too. */
function decodeAddress(frame: Frame): Address | undefined {
  // The family first: other families' messages have attributes of other lengths.
  if (ipFamily(frame.body[0] ?? AF_UNSPEC) === undefined) return undefined;
  const { header, attributes } = message.decode(frame.body);
  const local = attributes.local ?? attributes.address;
  if (local === undefined) return undefined; // a multicast or anycast address
  const { address = local, lifetimes } = attributes;
  return {
    linkIndex: header.index,
    prefix: { address: local, length: header.prefixLength },
    peer: sameAddress(local, address) ? undefined : address,
    broadcast: attributes.broadcast,
    label: attributes.label,
    scope: header.scope,
    metric: attributes.metric,
    flags: readFlags(flags, attributes.flags ?? header.flags),
    validSeconds: seconds(lifetimes?.valid),
    preferredSeconds: seconds(lifetimes?.preferred),
  };
}

function seconds(lifetime: number | undefined): number | undefined {
  return lifetime === forever ? undefined : lifetime;
}

/** Gives an address to a link; EEXIST when it has it. */
export function addAddressRequest(link: LinkIdentity, address: NewAddress): Request {
  return request('add', 'to', RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link, address);
}

/** Sends addAddressRequest. Throws NetlinkError. */
export function addAddress(connection: Connection, link: LinkIdentity, address: NewAddress): void {
  connection.request(addAddressRequest(link, address));
}

/** Gives an address to a link; one that it has already gets the new flags and lifetimes. */
export function replaceAddressRequest(link: LinkIdentity, address: NewAddress): Request {
  return request('replace', 'on', RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, link, address);
}

/** Sends replaceAddressRequest. Throws NetlinkError. */
export function replaceAddress(connection: Connection, link: LinkIdentity, address: NewAddress): void {
  connection.request(replaceAddressRequest(link, address));
}

/** Takes an address from a link; EADDRNOTAVAIL when it has it not. */
export function deleteAddressRequest(
  link: LinkIdentity,
  address: Pick<NewAddress, 'prefix' | 'peer'>,
): Request {
  const { prefix, peer } = address;
  return request('delete', 'from', RTM_DELADDR, 0, link, { prefix, peer });
}

/** Sends deleteAddressRequest. Throws NetlinkError. */
export function deleteAddress(
  connection: Connection,
  link: LinkIdentity,
  address: Pick<NewAddress, 'prefix' | 'peer'>,
): void {
  connection.request(deleteAddressRequest(link, address));
}

function request(
  verb: string,
  preposition: string,
  type: number,
  messageFlags: number,
  link: LinkIdentity,
  address: NewAddress,
): Request {
  const { prefix, peer, broadcast, label, scope, metric, validSeconds, preferredSeconds } = address;
  const { bits, mask } = writeFlags(givenFlags, address);
  const header = {
    family: addressFamily(prefix.address.family),
    prefixLength: prefix.length,
    scope,
    index: link.index,
  };
  const lifetimes =
    validSeconds === undefined && preferredSeconds === undefined
      ? undefined
      : { valid: validSeconds ?? forever, preferred: preferredSeconds ?? validSeconds ?? forever };
  const values = {
    address: peer ?? prefix.address,
    local: prefix.address,
    label,
    broadcast,
    lifetimes: lifetimes && { ...lifetimes, created: 0, updated: 0 },
    flags: mask === 0 ? undefined : bits,
    metric,
  };
  return {
    operation: `${verb} address ${formatPrefix(prefix)} ${preposition} link ${link.name}`,
    type,
    flags: messageFlags,
    body: message.encode(header, values),
  };
}
