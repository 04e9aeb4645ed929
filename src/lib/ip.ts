/**
 * IP addresses and prefixes as values. Addresses are numbers of their family's width, so that ranges,
 * successors and containment are arithmetic, alike for IPv4 and IPv6.
 *
 * Parsing is strict: what `inet_pton(3)` refuses is refused here (no `1..2.3`, `0x10.1.1.1`, `010.0.0.1`,
 * `12zz::1`). Formatting follows RFC 5952.
 */

/** 4 or 6, as in the names of the protocols; not the kernel's AF_INET and AF_INET6. */
export type IpFamily = 4 | 6;

/** An IP address: the family, and the address as an unsigned number of 32 or 128 bits in network order. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly value: bigint;
}

/** An address with a prefix length. Host bits may be set: `10.1.0.7/16` is an interface's address. */
export interface Prefix {
  readonly address: IpAddress;
  /** Number of leading network bits, 0–32 or 0–128. */
  readonly length: number;
}

/** The width of a family's addresses in bits: 32 or 128. */
export function addressBits(family: IpFamily): number {
  return family === 4 ? 32 : 128;
}

/** Parses an address in its text form (RFC 4291 section 2.2 for IPv6, without zone); undefined if it is none. */
export function parseAddress(text: string): IpAddress | undefined {
  if (text.includes(':')) {
    const value = parseIpv6(text);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = parseIpv4(text);
  return value === undefined ? undefined : { family: 4, value: BigInt(value) };
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; a dotted IPv4 address may stand for the last two. */
function parseGroups(text: string, ipv4Allowed: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (ipv4Allowed && index === parts.length - 1 && part.includes('.')) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === undefined) return undefined;
      groups.push(Math.floor(ipv4 / 65536), ipv4 % 65536);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** The address in its canonical text form (RFC 5952 for IPv6; IPv4-mapped addresses as `::ffff:10.0.0.1`). */
export function formatAddress(address: IpAddress): string {
  if (address.family === 4) return formatIpv4(Number(address.value));
  if (address.value >> 32n === 0xffffn) return `::ffff:${formatIpv4(Number(address.value & 0xffff_ffffn))}`;
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((address.value >> shift) & 0xffffn));
  const [start, length] = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function longestZeroRun(groups: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (index < groups.length && groups[index] === 0) continue;
    if (index - start > best[1]) best = [start, index - start];
    start = index + 1;
  }
  return best;
}

/** Parses `ADDRESS/LENGTH`, host bits allowed; undefined if it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  return length > addressBits(address.family) ? undefined : { address, length };
}

/** `ADDRESS/LENGTH` in canonical form, host bits kept. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** The network mask as an address, e.g. `255.255.0.0` for /16. */
export function netmask(family: IpFamily, length: number): IpAddress {
  const bits = BigInt(addressBits(family));
  const ones = (1n << bits) - 1n;
  return { family, value: ones ^ (ones >> BigInt(length)) };
}

/** The prefix with its host bits cleared: `10.1.0.7/16` becomes `10.1.0.0/16`. */
export function networkOf(prefix: Prefix): Prefix {
  const { family, value } = prefix.address;
  return { address: { family, value: value & netmask(family, prefix.length).value }, length: prefix.length };
}

/** The highest address of the prefix; in IPv4 the directed broadcast address. */
export function lastAddress(prefix: Prefix): IpAddress {
  const { family, value } = prefix.address;
  const hostBits = BigInt(addressBits(family) - prefix.length);
  return { family, value: value | ((1n << hostBits) - 1n) };
}

/** Whether the address lies in the prefix; never across families. */
export function containsAddress(prefix: Prefix, address: IpAddress): boolean {
  if (prefix.address.family !== address.family) return false;
  const shift = BigInt(addressBits(address.family) - prefix.length);
  return prefix.address.value >> shift === address.value >> shift;
}

/** Whether two addresses are the same address of the same family. */
export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

/** The prefix of one address alone: /32 or /128. */
export function hostPrefix(address: IpAddress): Prefix {
  return { address, length: addressBits(address.family) };
}

/** The address as 4 or 16 bytes in network order. */
export function addressToBytes(address: IpAddress): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(addressBits(address.family) / 8);
  let rest = address.value;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

/** The address in 4 or 16 bytes in network order; undefined for any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: bytes.length === 4 ? 4 : 6, value };
}
