/** The key `dns` of a result. */
import type { Dns } from '../../cni/index.ts';

/** A configuration's `dns` where it says anything, else IPAM's; to be spread into a result. */
export function dnsOf(configured: Dns | undefined, ofIpam: Dns | undefined): { readonly dns?: Dns } {
  if (configured !== undefined && saysDns(configured)) return { dns: configured };
  return ofIpam === undefined ? {} : { dns: ofIpam };
}

function saysDns({ nameservers, domain, search, options }: Dns): boolean {
  return domain !== undefined || [nameservers, search, options].some((list) => list !== undefined);
}
