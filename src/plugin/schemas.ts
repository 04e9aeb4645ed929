/** Schemas of values that several IPAM plugins' configurations have: addresses, routes, DNS. */
import { address, array, integer, object, prefix, string } from '../cni/index.ts';

/** An IP address in its canonical text form, or an empty text, which Go's decoder takes for none. */
export const addressOrEmpty = string().map(
  (text) => (text === '' ? '' : address().read(text, [], [])),
  'an IP address such as "10.1.0.1"',
);

const uint32 = 0xffff_ffff;

/** `routes` of an IPAM configuration: SPEC.md section 5, routes of a result. */
export const routeList = array(
  object({
    dst: prefix(),
    gw: addressOrEmpty.optional(),
    mtu: integer({ min: 0, max: uint32 }).optional(),
    advmss: integer({ min: 0, max: uint32 }).optional(),
    priority: integer({ min: 0, max: uint32 }).optional(),
    table: integer({ min: 0, max: uint32 }).optional(),
    scope: integer({ min: 0, max: 255 }).optional(),
  }).map(({ gw, ...route }) => (gw ? { ...route, gw } : route), 'a route'),
);

/** `dns` as a configuration has it. */
export const dnsConfig = object({
  nameservers: array(string()).optional(),
  domain: string().optional(),
  search: array(string()).optional(),
  options: array(string()).optional(),
});
