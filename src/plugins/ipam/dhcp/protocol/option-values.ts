/** What the options of a server's message say. An option that is not as its RFC says is as if it were not there. */

import { textFromBytes } from '../../../../lib/bytes.ts';
import { addressFromBytes, type IpAddress, type Prefix } from '../../../../lib/ip.ts';
import { type Options, option } from './message.ts';

/** A number of that many bytes. */
export function numberIn(options: Options, code: number, size: 1 | 2 | 4): number | undefined {
  const value = options.get(code);
  if (value?.length !== size) return undefined;
  return value.reduce((number, byte) => number * 256 + byte, 0);
}

/** IPv4 addresses one after the other; none where a part of one is left over. */
export function addressesIn(options: Options, code: number): readonly IpAddress[] {
  const value = options.get(code) ?? new Uint8Array();
  if (value.length % 4 !== 0) return [];
  return Array.from({ length: value.length / 4 }, (_, index) => ipv4(value, index * 4));
}

/** The first of `addressesIn`. */
export function addressIn(options: Options, code: number): IpAddress | undefined {
  return addressesIn(options, code)[0];
}

/** A text, without the NULs that some servers end it with. */
export function textIn(options: Options, code: number): string | undefined {
  const value = options.get(code);
  return value && (textFromBytes(value).replace(/\0+$/, '') || undefined);
}

/** The prefix length of the subnet mask; undefined for a mask with holes. */
export function prefixLengthIn(options: Options): number | undefined {
  const mask = numberIn(options, option.subnetMask, 4);
  if (mask === undefined) return undefined;
  const bits = mask.toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined;
}

/** A route that a server names; a router of 0.0.0.0 says that there is none between. */
export interface ServerRoute {
  readonly dst: Prefix;
  readonly router: IpAddress;
}

/** Classless routes, RFC 3442: a prefix length, as many bytes of the destination as it needs, the router. */
export function classlessRoutesIn(options: Options): readonly ServerRoute[] {
  const value = options.get(option.classlessRoutes) ?? new Uint8Array();
  const routes: ServerRoute[] = [];
  for (let at = 0; at < value.length; ) {
    const length = value[at] ?? 0;
    const bytes = Math.ceil(length / 8);
    if (length > 32 || at + 1 + bytes + 4 > value.length) return [];
    const destination = new Uint8Array(4);
    destination.set(value.subarray(at + 1, at + 1 + bytes));
    routes.push({ dst: { address: ipv4(destination, 0), length }, router: ipv4(value, at + 1 + bytes) });
    at += 1 + bytes + 4;
  }
  return routes;
}

/** Static routes, RFC 2132 section 5.8: pairs of destination and router; the destination's class says its length. */
export function staticRoutesIn(options: Options): readonly ServerRoute[] {
  const value = options.get(option.staticRoutes) ?? new Uint8Array();
  const routes: ServerRoute[] = [];
  for (let at = 0; at + 8 <= value.length; at += 8) {
    const length = classfulLength(value[at] ?? 0);
    if (length !== undefined)
      routes.push({ dst: { address: ipv4(value, at), length }, router: ipv4(value, at + 4) });
  }
  return routes;
}

/** RFC 791's classes A, B and C. */
function classfulLength(first: number): number | undefined {
  if (first < 128) return 8;
  if (first < 192) return 16;
  return first < 224 ? 24 : undefined;
}

/** Option 119, RFC 3397: names as in DNS, where a name may go on with the end of one before. */
export function searchListIn(options: Options): readonly string[] {
  const value = options.get(option.domainSearch) ?? new Uint8Array();
  const names: string[] = [];
  for (let at = 0; at < value.length; ) {
    const read = nameAt(value, at);
    if (read === undefined) return [];
    if (read.name !== '') names.push(read.name);
    at = read.end;
  }
  return names;
}

/** RFC 1035 section 4.1.4. Each jump goes back, so that it ends. */
function nameAt(
  value: Uint8Array,
  start: number,
): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let lowest = start;
  for (let at = start; ; ) {
    const length = value[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (value[at + 1] ?? 0);
      if (at + 1 >= value.length || target >= lowest) return undefined;
      end ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    if (length > 63 || at + 1 + length > value.length) return undefined;
    const label = textFromBytes(value.subarray(at + 1, at + 1 + length));
    if (!/^[\w-]+$/.test(label)) return undefined;
    labels.push(label);
    at += 1 + length;
  }
}

function ipv4(bytes: Uint8Array, at: number): IpAddress {
  return addressFromBytes(bytes.subarray(at, at + 4)) ?? { family: 4, value: 0n };
}

/** Whether an address can be a host's: not of 0.0.0.0/8 or 127.0.0.0/8, and below the multicast addresses. */
export function isHostAddress({ value }: IpAddress): boolean {
  const first = Number(value >> 24n);
  return first > 0 && first !== 127 && first < 224;
}
