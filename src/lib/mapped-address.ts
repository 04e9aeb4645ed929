/** IPv4 addresses among IPv6 ones: `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2). */
import type { IpAddress } from './ip.ts';

const mappedNetwork = 0xffff_0000_0000n;

/** The address as an IPv6 one, for a field that has either family's. */
export function mapAddress(address: IpAddress): IpAddress {
  return address.family === 6 ? address : { family: 6, value: mappedNetwork | address.value };
}

/** The IPv4 address of a mapped one; any other as it is. */
export function unmapAddress(address: IpAddress): IpAddress {
  const isMapped = address.family === 6 && address.value >> 32n === mappedNetwork >> 32n;
  return isMapped ? { family: 4, value: address.value & 0xffff_ffffn } : address;
}
