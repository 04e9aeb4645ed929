/**
 * Ranges of addresses to give out: what the reference calls Range and RangeSet, made complete and checked
 * (plugins/ipam/host-local/backend/allocator/range.go for the defaults).
 */
import {
  addressBits,
  containsAddress,
  formatAddress,
  formatPrefix,
  type IpAddress,
  lastAddress,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  sameAddress,
} from '../../../lib/ip.ts';

/** A range as configuration writes it. */
export interface RangeConfig {
  subnet: string;
  rangeStart?: string;
  rangeEnd?: string;
  gateway?: string;
}

/** A range with everything filled in: addresses from `start` to `end`, both included, but those of `purposeOf`. */
export interface Range {
  readonly subnet: Prefix;
  readonly start: IpAddress;
  readonly end: IpAddress;
  readonly gateway: IpAddress;
}

/** Ranges of one family of which an attachment gets one address. */
export type RangeSet = readonly [Range, ...Range[]];

/** A range that is not usable; the message starts with the offending key, relative to the range. */
export class BadRangeError extends Error {
  override readonly name = 'BadRangeError';
}

/** Completes and checks one range. Throws BadRangeError, naming the key, what was wrong and what would be right. */
export function completeRange(config: RangeConfig): Range {
  const subnet = parsePrefix(config.subnet);
  if (subnet === undefined) {
    throw new BadRangeError(`\`subnet\` must be a network such as "10.1.0.0/16", got "${config.subnet}"`);
  }
  const { family, value } = subnet.address;
  const network = networkOf(subnet);
  if (!sameAddress(network.address, subnet.address)) {
    throw new BadRangeError(
      `\`subnet\` must not have host bits set: for /${subnet.length} it is "${formatPrefix(network)}", got "${config.subnet}"`,
    );
  }
  if (subnet.length > addressBits(family) - 2) {
    throw new BadRangeError(
      `\`subnet\` "${config.subnet}" is too small to allocate from: it needs two host bits or more`,
    );
  }
  const first: IpAddress = { family, value: value + 1n };
  const highest = lastAddress(subnet);
  // An IPv4 network's highest address is its broadcast address.
  const last: IpAddress = family === 4 ? { family, value: highest.value - 1n } : highest;
  const start = within(subnet, 'rangeStart', config.rangeStart) ?? first;
  const end = within(subnet, 'rangeEnd', config.rangeEnd) ?? last;
  if (start.value > end.value) {
    throw new BadRangeError(
      `\`rangeStart\` ${formatAddress(start)} must not be above \`rangeEnd\` ${formatAddress(end)}`,
    );
  }
  // The gateway may lie outside the subnet (an on-link router elsewhere), but not in the other family.
  const gateway = address('gateway', config.gateway) ?? first;
  if (gateway.family !== family) {
    throw new BadRangeError(
      `\`gateway\` ${config.gateway} must be an IPv${family} address, as \`subnet\` ${config.subnet} is`,
    );
  }
  return { subnet, start, end, gateway };
}

/** As Go reads a net.IP: an empty text is no address, and an IPv4 address in IPv6 form is the IPv4 address. */
function address(key: string, text: string | undefined): IpAddress | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new BadRangeError(`\`${key}\` must be an IP address, got "${text}"`);
  return unmapped(parsed);
}

/** The IPv4 address that an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) stands for; any other as it is. */
export function unmapped(address: IpAddress): IpAddress {
  const isMapped = address.family === 6 && address.value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: address.value & 0xffff_ffffn } : address;
}

function within(subnet: Prefix, key: string, text: string | undefined): IpAddress | undefined {
  const parsed = address(key, text);
  if (parsed !== undefined && !containsAddress(subnet, parsed)) {
    throw new BadRangeError(`\`${key}\` ${text} must lie in \`subnet\` ${formatPrefix(subnet)}`);
  }
  return parsed;
}

/** Whether the range may give this address out or has given it: start and end included. */
export function inRange(range: Range, candidate: IpAddress): boolean {
  return (
    candidate.family === range.start.family &&
    candidate.value >= range.start.value &&
    candidate.value <= range.end.value
  );
}

/** The range of the set in which the address lies. */
export function rangeOf(set: RangeSet, candidate: IpAddress): Range | undefined {
  return set.find((range) => inRange(range, candidate));
}

/**
 * What an address of the range's subnet is for, where that is not a container: its gateway, the network's own address
 * (in IPv6 that of any router, RFC 4291 section 2.6.1), or IPv4's broadcast address. `rangeStart` and `rangeEnd` may
 * include those.
 */
export function purposeOf(range: Range, candidate: IpAddress): string | undefined {
  if (sameAddress(candidate, range.gateway)) return 'the gateway';
  if (sameAddress(candidate, range.subnet.address)) return 'the address of the network itself';
  const isBroadcast = candidate.family === 4 && sameAddress(candidate, lastAddress(range.subnet));
  return isBroadcast ? 'the broadcast address' : undefined;
}

/** How many addresses of the range can be given out. */
export function sizeOf(range: Range): bigint {
  const { start, end, gateway, subnet } = range;
  const special = new Set([gateway, subnet.address, lastAddress(subnet)].map(({ value }) => value));
  const kept = [...special].filter((value) => {
    const address = { family: start.family, value };
    return inRange(range, address) && purposeOf(range, address) !== undefined;
  });
  return end.value - start.value + 1n - BigInt(kept.length);
}

/** Whether two ranges share an address. */
export function overlap(a: Range, b: Range): boolean {
  return a.start.family === b.start.family && a.start.value <= b.end.value && b.start.value <= a.end.value;
}

/** `10.1.0.1-10.1.0.254,10.2.0.1-10.2.0.254`, for messages. */
export function formatRangeSet(set: RangeSet): string {
  return set.map((range) => `${formatAddress(range.start)}-${formatAddress(range.end)}`).join(',');
}

/** An address to try, with the range it is from. */
export interface Candidate {
  readonly address: IpAddress;
  readonly range: Range;
}

/**
 * Every address of the set once, those that are not for containers left out, beginning after `last` (round robin: a container that
 * crashes in a loop gets another address each time) or at the beginning where `last` is of no range of the set.
 */
export function* candidates(set: RangeSet, last: IpAddress | undefined): Generator<Candidate> {
  const from = last === undefined ? -1 : set.findIndex((range) => inRange(range, last));
  const order = from < 0 ? [...set] : [...set.slice(from), ...set.slice(0, from)];
  const [first, ...others] = order as [Range, ...Range[]];
  const begin = from < 0 || last === undefined ? first.start.value : last.value + 1n;
  yield* walk(first, begin, first.end.value);
  for (const range of others) yield* walk(range, range.start.value, range.end.value);
  yield* walk(first, first.start.value, begin - 1n);
}

function* walk(range: Range, from: bigint, to: bigint): Generator<Candidate> {
  const { family } = range.start;
  for (let value = from; value <= to; value++) {
    const candidate: IpAddress = { family, value };
    if (purposeOf(range, candidate) === undefined) yield { address: candidate, range };
  }
}
