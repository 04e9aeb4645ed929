/** The addresses that the rules are about, by the result of the plugins before: pure. */
import type { Result } from '../../../cni/index.ts';
import { formatAddress, type IpAddress, parsePrefix } from '../../../lib/ip.ts';
import { unmapAddress } from '../../shared/nftables/mapped-address.ts';

/** All addresses of a result, each once. */
export function addressesOf({ ips = [] }: Result): IpAddress[] {
  const found = new Map<string, IpAddress>();
  for (const { address: text } of ips) {
    const prefix = parsePrefix(text);
    if (prefix === undefined) continue;
    const address = unmapAddress(prefix.address);
    found.set(formatAddress(address), address);
  }
  return [...found.values()];
}
