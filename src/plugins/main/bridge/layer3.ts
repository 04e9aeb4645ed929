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
export function planLayer3(
  ipam: Result,
  config: Pick<BridgeConfig, 'isGateway' | 'isDefaultGateway' | 'ipam'>,
): Layer3 {
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

/** A default route by the first gateway of each family, unless the IPAM result has one. */
function missingDefaultRoutes(ips: readonly IpConfig[], routes: readonly Route[]): Route[] {
  const done = new Set<IpFamily>();
  for (const route of routes) {
    const prefix = parsePrefix(route.dst);
    if (prefix?.length === 0 && leadsOut(route)) done.add(prefix.address.family);
  }
  const missing: Route[] = [];
  for (const one of ips) {
    const { family } = prefixOf(one).address;
    if (one.gateway === undefined || done.has(family)) continue;
    done.add(family);
    missing.push({ dst: family === 4 ? '0.0.0.0/0' : '::/0', gw: one.gateway });
  }
  return missing;
}

/**
 * Whether a default route makes another one needless. For the reference only one with a next hop does; it adds the
 * same route again beside a plain `{ "dst": "0.0.0.0/0" }`, and the kernel refuses that.
 */
function leadsOut({ gw, table, priority, scope }: Route): boolean {
  const plain = table === undefined && priority === undefined && scope === undefined;
  return gw !== undefined || plain;
}

function prefixOf({ address }: IpConfig): Prefix {
  const prefix = parsePrefix(address);
  if (prefix !== undefined) return prefix;
  throw new CniError(
    'decodingFailure',
    `the IPAM plugin gave "${address}", which is no address with a prefix length`,
  );
}

function gatewayOf({ address, gateway }: IpConfig): IpAddress {
  const parsed = gateway === undefined ? undefined : parseAddress(gateway);
  if (parsed !== undefined) return parsed;
  throw new CniError(
    'decodingFailure',
    `the IPAM plugin gave gateway "${gateway}" for ${address}, which is no IP address`,
  );
}

function firstAddress(prefix: Prefix): IpAddress {
  const { family, value } = networkOf(prefix).address;
  return { family, value: value + 1n };
}
