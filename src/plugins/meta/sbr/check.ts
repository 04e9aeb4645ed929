/** What CHECK finds of the rules, tables and routes that ADD made. */
import type { Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import type { LinkIdentity } from '../../../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable, type Route } from '../../../kernel/rtnetlink/route.ts';
import { listRules, type Rule } from '../../../kernel/rtnetlink/rule.ts';
import {
  addressBits,
  containsAddress,
  formatAddress,
  formatPrefix,
  type IpAddress,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  sameAddress,
} from '../../../lib/ip.ts';
import { fixedGateway, type SbrConfig } from './config.ts';
import type { Source } from './sources.ts';

/** What differs, a line each. */
export function routingProblems(
  container: Connection,
  link: LinkIdentity,
  sources: readonly Source[],
  config: SbrConfig,
  result: Result,
): string[] {
  const rules = listRules(container);
  const routes = listRoutes(container, { oif: link.index });
  return sources.flatMap((source) => {
    const { address } = source.prefix;
    const table = tableOf(rules, address, config.table);
    const to = config.table === undefined ? '' : ` to table ${config.table}`;
    if (table === undefined) return [`there is no rule for packets from ${formatAddress(address)}${to}`];
    if (config.table !== undefined) return [];
    const isMissing = ({ dst, gateway }: Wanted) =>
      !routes.some((one) => one.table === table && samePrefix(one.dst, dst) && sameGateway(one, gateway));
    return [
      ...wantedRoutes(source, config, result)
        .filter(isMissing)
        .map((wanted) => `table ${table} has no route to ${textOf(wanted)} on ${link.name}`),
      ...(config.addSourceHints ? hintProblems(source.prefix, routes) : []),
    ];
  });
}

function tableOf(rules: readonly Rule[], address: IpAddress, fixed: number | undefined): number | undefined {
  return rules.find(
    ({ src, action, table, family }) =>
      action === 'table' &&
      src?.length === addressBits(family) &&
      sameAddress(src.address, address) &&
      (fixed === undefined || table === fixed),
  )?.table;
}

/** A route that has to be in the address's table. */
interface Wanted {
  readonly dst: Prefix;
  readonly gateway?: IpAddress | undefined;
}

/** The address's network, the default route, and the result's routes by a gateway in that network. */
function wantedRoutes({ prefix, gateway }: Source, config: SbrConfig, { routes = [] }: Result): Wanted[] {
  const { family } = prefix.address;
  const via = fixedGateway(config, family) ?? gateway;
  const others = routes.flatMap(({ dst, gw, table }): Wanted[] => {
    const [to, next] = [parsePrefix(dst), gw ? parseAddress(gw) : undefined];
    if (to === undefined || next === undefined || table) return [];
    const isOwn = to.address.family === family && containsAddress(prefix, next);
    return isOwn && (to.length > 0 || via === undefined) ? [{ dst: networkOf(to), gateway: next }] : [];
  });
  return [
    ...(prefix.length < addressBits(family) ? [{ dst: networkOf(prefix) }] : []),
    ...(via === undefined ? [] : [{ dst: { address: { family, value: 0n }, length: 0 }, gateway: via }]),
    ...others,
  ];
}

function hintProblems(prefix: Prefix, routes: readonly Route[]): string[] {
  const network = networkOf(prefix);
  const found = routes.some(
    ({ dst, table, prefSrc }) =>
      table === mainTable &&
      samePrefix(dst, network) &&
      prefSrc !== undefined &&
      containsAddress(prefix, prefSrc),
  );
  return found ? [] : [`the main table has no route to ${formatPrefix(network)} with a source address`];
}

function samePrefix(one: Prefix, other: Prefix): boolean {
  return one.length === other.length && sameAddress(one.address, other.address);
}

function sameGateway(route: Route, gateway: IpAddress | undefined): boolean {
  return gateway === undefined || (route.gateway !== undefined && sameAddress(route.gateway, gateway));
}

function textOf({ dst, gateway }: Wanted): string {
  return `${formatPrefix(dst)}${gateway === undefined ? '' : ` by ${formatAddress(gateway)}`}`;
}
