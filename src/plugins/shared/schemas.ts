/** Schemas of values that several plugins' configurations have: addresses, networks, routes, DNS. */
import { array, integer, object, string } from '../../cni/index.ts';
import { parseAddress, parsePrefix } from '../../lib/ip.ts';

/** An IP address in text form; the text stays, for results print it as it was given. */
export const addressText = string().refine((text, report) => {
  if (parseAddress(text) === undefined) report(`must be an IP address such as "10.1.0.1", got "${text}"`);
});

/** An address with its prefix length, host bits allowed. */
export const prefixText = string().refine((text, report) => {
  if (parsePrefix(text) === undefined) {
    report(`must be an address with a prefix length such as "10.1.0.5/16", got "${text}"`);
  }
});

const uint32 = 0xffff_ffff;

/** `routes` of an IPAM configuration: SPEC.md section 5, routes of a result. */
export const routeList = array(
  object({
    dst: prefixText,
    gw: addressText.optional(),
    mtu: integer({ min: 0, max: uint32 }).optional(),
    advmss: integer({ min: 0, max: uint32 }).optional(),
    priority: integer({ min: 0, max: uint32 }).optional(),
    table: integer({ min: 0, max: uint32 }).optional(),
    scope: integer({ min: 0, max: 255 }).optional(),
  }),
);

/** `dns` as a configuration has it. */
export const dnsConfig = object({
  nameservers: array(string()).optional(),
  domain: string().optional(),
  search: array(string()).optional(),
  options: array(string()).optional(),
});
