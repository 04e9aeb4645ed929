/**
 * An interface on its way into a vrf or out of it. The kernel takes it down and up again, by which IPv6 addresses
 * (without `keep_addr_on_down`) and all routes that somebody added are lost; so they are noted before, and given back.
 */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { type Address, addAddressRequest, listAddresses } from '../../../kernel/rtnetlink/address.ts';
import type { Link, LinkIdentity } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import {
  listRoutes,
  localTable,
  mainTable,
  type NewRoute,
  type Route,
  routeProtocols,
  singleRoutes,
} from '../../../kernel/rtnetlink/route.ts';
import { replaceRouteRequest } from '../../../kernel/rtnetlink/route-change.ts';
import { formatAddress, hostPrefix, sameAddress } from '../../../lib/ip.ts';
import { newAddress } from '../../../plugin/container-interface.ts';

/** What an interface has that it may lose. */
export interface Belongings {
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
}

/** IPv6 addresses of everywhere's scope, and all routes but those that the kernel makes by itself. */
export function belongingsOf(container: Connection, link: LinkIdentity): Belongings {
  return {
    addresses: globalAddresses(container, link),
    routes: listRoutes(container)
      .flatMap((one) => (one.dst.address.family === 6 ? singleRoutes(one) : one))
      .filter((one) => one.oif === link.index && one.table !== localTable)
      .filter((one) => one.protocol !== routeProtocols.kernel),
  };
}

function globalAddresses(container: Connection, link: LinkIdentity): Address[] {
  return listAddresses(container, { link, family: 6 }).filter(({ scope }) => scope === 0);
}

/** Makes it a port of a vrf, or takes it out, and gives it back what it had, its routes in that table. Throws a `CniError` (11), NetlinkError. */
export async function moveInterface(
  container: Connection,
  link: Link,
  master: number | 'none',
  table: number,
  { addresses, routes }: Belongings,
): Promise<void> {
  changeLink(container, link, { master });
  const present = globalAddresses(container, link);
  const lost = addresses.filter(
    ({ prefix }) => !present.some((one) => sameAddress(one.prefix.address, prefix.address)),
  );
  container.requestAll(
    lost.map(({ prefix, flags }) =>
      addAddressRequest(link, newAddress(prefix, { detectDuplicates: !flags.noDad })),
    ),
  );
  // Of an interface that is down there are none.
  if (link.flags.up) for (const address of addresses) await hostRoute(container, link, table, address);
  // Those without a gateway first: they may be the way to the others' gateways.
  const direct = routes.filter((one) => one.gateway === undefined);
  const others = routes.filter((one) => one.gateway !== undefined);
  container.requestAll([...direct, ...others].map((one) => replaceRouteRequest(inTable(one, table))));
}

/** The main table's routes go into that one; those of other tables stay in theirs. */
function inTable(route: Route, table: number): NewRoute {
  const isMain = route.table === mainTable;
  return { ...route, table: isMain ? table : route.table, onlink: route.flags.onlink || undefined };
}

/** As long as the reference waits, and between two looks, in milliseconds. */
const patience = 2500;
const pause = 5;

/** The kernel makes an IPv6 address's own route a moment after the address; a route with that source is refused before. */
async function hostRoute(
  container: Connection,
  link: LinkIdentity,
  table: number,
  { prefix: { address } }: Address,
): Promise<void> {
  const wanted = { dst: hostPrefix(address), ...(table !== mainTable && { table }) };
  const deadline = performance.now() + patience;
  while (!listRoutes(container, wanted).some(({ oif, type }) => oif === link.index && type === 'local')) {
    if (performance.now() >= deadline)
      throw new CniError(
        'tryAgainLater',
        `interface ${link.name} has no local route to its address ${formatAddress(address)} after ${patience} ms`,
      );
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
