/** From a server's ACK to what an IPAM plugin answers. */
import type { Dns, Result, Route } from '../../../cni/index.ts';
import { formatAddress, formatPrefix } from '../../../lib/ip.ts';
import { option, type ServerMessage } from './protocol/message.ts';
import {
  addressesIn,
  addressIn,
  classlessRoutesIn,
  numberIn,
  prefixLengthIn,
  type ServerRoute,
  searchListIn,
  staticRoutesIn,
  textIn,
} from './protocol/option-values.ts';

/** RT_SCOPE_LINK, linux/rtnetlink.h. */
const scopeOfLink = 253;
/** IPv4 takes no less (RFC 791), and RFC 2132 section 5.1 says 68 too. */
const leastMtu = 68;

/** What of a server's answer goes into a result only where the configuration asks for it. */
export interface Wanted {
  /** The options that the configuration's `request` names. */
  readonly requested: readonly number[];
  /** The metric of routes; 0 is none. */
  readonly priority: number;
}

/**
 * The result: address, gateway and routes as the reference's; DNS (6, 15, 119) and MTU (26), which the reference leaves out, where the
 * configuration requests them.
 */
export function resultOf(ack: ServerMessage, { requested, priority }: Wanted): Result {
  const { options, yourAddress } = ack;
  const asked = (code: number) => requested.includes(code);
  const gateway = addressIn(options, option.routers);
  const mtu = asked(option.interfaceMtu) ? (numberIn(options, option.interfaceMtu, 2) ?? 0) : 0;
  const more = { ...(mtu >= leastMtu && { mtu }), ...(priority > 0 && { priority }) };
  const dns = dnsOf(ack, asked);
  return {
    ips: [
      {
        address: formatPrefix({ address: yourAddress, length: prefixLengthIn(options) ?? 32 }),
        ...(gateway && { gateway: formatAddress(gateway) }),
      },
    ],
    routes: routesOf(ack).map((route) => ({ ...route, ...more })),
    ...(Object.keys(dns).length > 0 && { dns }),
  };
}

/** RFC 3442: where there are classless routes, the others and the routers do not count. */
function routesOf({ options }: ServerMessage): readonly Route[] {
  const classless = classlessRoutesIn(options);
  if (classless.length > 0) return classless.map(toRoute);
  const gateway = addressIn(options, option.routers);
  return [
    ...staticRoutesIn(options).map(({ dst, router }) => ({
      dst: formatPrefix(dst),
      gw: formatAddress(router),
    })),
    ...(gateway === undefined ? [] : [{ dst: '0.0.0.0/0', gw: formatAddress(gateway) }]),
  ];
}

function toRoute({ dst, router }: ServerRoute): Route {
  const route = { dst: formatPrefix(dst), gw: formatAddress(router) };
  return router.value === 0n ? { ...route, scope: scopeOfLink } : route;
}

function dnsOf({ options }: ServerMessage, asked: (code: number) => boolean): Dns {
  const servers = asked(option.dnsServers) ? addressesIn(options, option.dnsServers).map(formatAddress) : [];
  const domain = asked(option.domainName) ? textIn(options, option.domainName) : undefined;
  const search = asked(option.domainSearch) ? searchListIn(options) : [];
  return {
    ...(servers.length > 0 && { nameservers: servers }),
    ...(domain !== undefined && { domain }),
    ...(search.length > 0 && { search }),
  };
}
