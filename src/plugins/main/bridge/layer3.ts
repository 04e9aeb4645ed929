/** From the IPAM plugin's result to addresses, gateways and routes: pure, so that it is tested without a kernel. */
import { CniError, type IpConfig, type Result, type Route } from '../../../cni/index.ts';
import {
  formatAddress,
  type IpAddress,
  type IpFamily,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../lib/ip.ts';
import { type BridgeConfig, wantsGateway } from './config.ts';

/** The container interface's place among the result's interfaces: bridge, host side, container side. */
const containerInterface = 2;

/** What the attachment has in layer 3. */
export interface Layer3 {
  readonly ips: readonly IpConfig[];
  readonly routes: readonly Route[];
  /** The container's addresses. */
  readonly addresses: readonly Prefix[];
  /** The gateway addresses that the bridge gets, with their subnets' lengths. */
  readonly gateways: readonly Prefix[];
}

/** Completes the IPAM result: gateways that it leaves out, default routes. Throws a CniError when it has no address. */
export function planLayer3(ipam: Result, config: BridgeConfig): Layer3 {
  const given = ipam.ips ?? [];
  if (given.length === 0) {
    throw new CniError(
      'invalidConfig',
      `the IPAM plugin "${config.ipam?.type}" gave no address`,
      'bridge needs one or more; leave out `ipam` for a layer 2 network',
    );
  }
  const gateway = wantsGateway(config);
  const ips = given.map((one) => ({
    ...one,
    ...(gateway && one.gateway === undefined ? { gateway: formatAddress(firstAddress(prefixOf(one))) } : {}),
    interface: containerInterface,
  }));
  const routes = [...(ipam.routes ?? [])];
  if (config.isDefaultGateway) routes.push(...missingDefaultRoutes(ips, routes));
  return {
    ips,
    routes,
    addresses: ips.map(prefixOf),
    gateways: gateway ? ips.map((one) => ({ address: gatewayOf(one), length: prefixOf(one).length })) : [],
  };
}

/** A default route by the first gateway of each family, unless the IPAM result has one with a gateway. */
function missingDefaultRoutes(ips: readonly IpConfig[], routes: readonly Route[]): Route[] {
  const missing: Route[] = [];
  for (const family of [4, 6] satisfies IpFamily[]) {
    const dst = family === 4 ? '0.0.0.0/0' : '::/0';
    const first = ips.find((one) => prefixOf(one).address.family === family);
    if (first?.gateway === undefined || routes.some((route) => route.dst === dst && route.gw !== undefined))
      continue;
    missing.push({ dst, gw: first.gateway });
  }
  return missing;
}

function prefixOf({ address }: IpConfig): Prefix {
  const prefix = parsePrefix(address);
  if (prefix === undefined)
    throw new CniError(
      'decodingFailure',
      `the IPAM plugin gave "${address}", which is no address with a prefix length`,
    );
  return prefix;
}

function gatewayOf({ address, gateway }: IpConfig): IpAddress {
  const parsed = gateway === undefined ? undefined : parseAddress(gateway);
  if (parsed === undefined)
    throw new CniError(
      'decodingFailure',
      `the IPAM plugin gave gateway "${gateway}" for ${address}, which is no IP address`,
    );
  return parsed;
}

function firstAddress(prefix: Prefix): IpAddress {
  const { family, value } = networkOf(prefix).address;
  return { family, value: value + 1n };
}
