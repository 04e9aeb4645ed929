/**
 * What source-based routing is: for each address a table with the routes of its interface, a rule that sends the
 * address's packets there, and none of these routes in the main table. Computed here, without a kernel.
 */
import type { LinkIdentity } from '../../../kernel/rtnetlink/link.ts';
import {
  mainTable,
  type NewRoute,
  type Route,
  routeScopes,
  singleRoutes,
} from '../../../kernel/rtnetlink/route.ts';
import type { NewRule, Rule } from '../../../kernel/rtnetlink/rule.ts';
import {
  containsAddress,
  hostPrefix,
  type IpFamily,
  networkOf,
  type Prefix,
  sameAddress,
} from '../../../lib/ip.ts';
import { freeTable } from '../../shared/free-table.ts';
import { fixedGateway, type SbrConfig } from './config.ts';
import type { Source } from './sources.ts';

/** The reference's: below are those that people number by hand. */
const firstTable = 100;

/** What is to be there for one address. */
export interface SourcePlan {
  readonly rule: NewRule & { readonly table: number };
  /** Of its table, in their order: later ones may need earlier ones. */
  readonly routes: readonly NewRoute[];
}

/** All that is done to the container's routing. */
export interface Plan {
  readonly sources: readonly SourcePlan[];
  /** Routes of the main table that get a source address. */
  readonly hints: readonly NewRoute[];
  /** Routes of the main table that go. */
  readonly removed: readonly Route[];
}

/** What is there before. */
export interface Present {
  readonly link: LinkIdentity;
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
}

/** With a fixed table there are rules only: its routes are somebody else's. Throws a `CniError` (11) where no table is free. */
export function planOf(sources: readonly Source[], config: SbrConfig, present: Present): Plan {
  const { table } = config;
  if (table !== undefined) {
    const rules = sources.map(({ prefix }) => ({ rule: ruleOf(prefix, table), routes: [] }));
    const missing = rules.filter(({ rule }) => !present.rules.some((one) => isSameRule(one, rule)));
    return { sources: missing, hints: [], removed: [] };
  }
  const own = present.routes
    .filter((one) => one.table === mainTable)
    .flatMap((one) => (one.dst.address.family === 6 ? singleRoutes(one) : one))
    .filter((one) => one.oif === present.link.index);
  const moved = own.filter((one) => !isLinkLocal(one.dst));
  const taken = new Set([...present.rules, ...present.routes].flatMap((one) => one.table ?? []));
  const plans = sources.map((source): SourcePlan => {
    const free = freeTable(taken, firstTable);
    taken.add(free);
    return { rule: ruleOf(source.prefix, free), routes: routesOf(source, moved, free, config, present.link) };
  });
  return {
    sources: plans,
    hints: config.addSourceHints ? sources.map(({ prefix }) => hintOf(prefix, present.link)) : [],
    removed: config.addSourceHints ? moved.filter((one) => !isHinted(one)) : moved,
  };
}

/** fe80::/10 (RFC 4291 section 2.5.6): such packets are for their link alone, whatever their source. */
function isLinkLocal({ address }: Prefix): boolean {
  return address.family === 6 && address.value >> 118n === 0x3fan;
}

function ruleOf({ address }: Prefix, table: number): SourcePlan['rule'] {
  return { family: address.family, src: hostPrefix(address), action: 'table', table };
}

function isSameRule({ src, action, table }: Rule, rule: SourcePlan['rule']): boolean {
  if (src === undefined || rule.src === undefined || action !== 'table' || table !== rule.table) return false;
  return src.length === rule.src.length && sameAddress(src.address, rule.src.address);
}

const everywhere = (family: IpFamily): Prefix => ({ address: { family, value: 0n }, length: 0 });

/** The default route by the gateway, then the interface's routes that this address is for. */
function routesOf(
  { prefix, gateway }: Source,
  moved: readonly Route[],
  table: number,
  config: SbrConfig,
  link: LinkIdentity,
): NewRoute[] {
  const { family } = prefix.address;
  const fixed = fixedGateway(config, family);
  const via = fixed ?? gateway;
  const copies = moved
    .filter((one) => one.dst.address.family === family && isFor(prefix, one))
    .filter((one) => fixed === undefined || one.dst.length > 0)
    .map((one): NewRoute => ({ ...one, table, onlink: one.flags.onlink || undefined }));
  return [
    ...copies.filter((one) => one.gateway === undefined),
    ...(via === undefined ? [] : [{ dst: everywhere(family), gateway: via, oif: link, table }]),
    ...copies.filter((one) => one.gateway !== undefined),
  ];
}

/** As the reference has it: the source or the gateway is in the address's network, or the route has neither. */
function isFor(prefix: Prefix, { prefSrc, gateway }: Route): boolean {
  if (prefSrc === undefined && gateway === undefined) return true;
  return [prefSrc, gateway].some((one) => one !== undefined && containsAddress(prefix, one));
}

/** The route to the address's network with the address as the source of what names none. */
function hintOf(prefix: Prefix, link: LinkIdentity): NewRoute {
  return {
    dst: networkOf(prefix),
    oif: link,
    prefSrc: prefix.address,
    ...(prefix.address.family === 4 && { scope: routeScopes.link }),
  };
}

/** What stays beside hints: in IPv4 all routes without a gateway. IPv6 has no scopes, and the hints there are new routes. */
function isHinted({ dst, scope }: Route): boolean {
  return dst.address.family === 4 && scope === routeScopes.link;
}
