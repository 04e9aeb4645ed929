/** What CHECK finds of the vrf, its port and that one's routes. */
import type { Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { addressAndRouteProblems } from '../../../plugin/container-interface.ts';
import type { VrfConfig } from './config.ts';
import { findVrf, type Vrf } from './vrf-link.ts';

/** What differs, a line each. Throws a `CniError` (7) where the vrf's name is another kind of link's. */
export function vrfProblems(
  container: Connection,
  ifname: string,
  { vrfname, table }: VrfConfig,
  result: Result,
): string[] {
  const vrf = findVrf(container, vrfname);
  if (vrf === undefined) return [`vrf ${vrfname} does not exist`];
  const link = getLink(container, ifname);
  return [
    ...(vrf.up ? [] : [`vrf ${vrfname} is down`]),
    ...(table === 0 || table === vrf.table ? [] : [`vrf ${vrfname} has table ${vrf.table}, not ${table}`]),
    ...(link === undefined
      ? [`interface ${ifname} does not exist`]
      : portProblems(container, link, vrf, result)),
  ];
}

function portProblems(
  container: Connection,
  link: Link,
  vrf: Vrf,
  { interfaces = [], ips = [], routes = [] }: Result,
): string[] {
  if (link.master !== vrf.index) return [`interface ${link.name} is not in vrf ${vrf.name}`];
  const isOwn = (index: number | undefined) => index === undefined || interfaces[index]?.name === link.name;
  const own = ips.filter((ip) => isOwn(ip.interface));
  const inTable = routes.map((route) => ({ ...route, table: route.table || vrf.table }));
  return addressAndRouteProblems(container, link, own, inTable);
}
