/** The addresses whose packets get routes of their own. */
import { CniError, type Result } from '../../../cni/index.ts';
import { type IpAddress, type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';

/** An address of the interface, and the gateway that it came with. */
export interface Source {
  readonly prefix: Prefix;
  readonly gateway?: IpAddress | undefined;
}

/** The interface's addresses in a result: those that name it, and those that name none. */
export function sourcesOf(ifname: string, { interfaces = [], ips = [] }: Result): Source[] {
  return ips.flatMap(({ interface: index, address, gateway }) => {
    const named = index === undefined ? undefined : interfaces[index];
    const prefix = parsePrefix(address);
    if (prefix === undefined || (named !== undefined && named.name !== ifname)) return [];
    return [{ prefix, gateway: gateway ? parseAddress(gateway) : undefined }];
  });
}

/** As `sourcesOf`. Throws a `CniError` (7) where there is none: nothing could be routed by it. */
export function someSources(ifname: string, result: Result): Source[] {
  const sources = sourcesOf(ifname, result);
  if (sources.length > 0) return sources;
  throw new CniError(
    'invalidConfig',
    `the previous result has no address of interface ${ifname}`,
    'sbr routes by source addresses: the plugin before it needs an IPAM plugin',
  );
}
