/** Addresses that a result holds, as values to calculate with. */
import { CniError, type IpConfig } from '../cni/index.ts';
import { type IpAddress, type Prefix, parseAddress, parsePrefix } from '../lib/ip.ts';

/** The prefix that a text such as `10.1.0.5/16` says. Throws a `CniError` (6) if it is none. */
export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined)
    throw new CniError('decodingFailure', `"${text}" is no address with a prefix length`);
  return prefix;
}

/** The gateway of an address that IPAM gave. Throws a `CniError` (7) if there is none, (6) if it is no address. */
export function gatewayOf({ address, gateway }: IpConfig): IpAddress {
  if (gateway === undefined)
    throw new CniError('invalidConfig', `the IPAM plugin gave no gateway for ${address}`);
  const parsed = parseAddress(gateway);
  if (parsed !== undefined) return parsed;
  throw new CniError('decodingFailure', `the gateway "${gateway}" of ${address} is no IP address`);
}
