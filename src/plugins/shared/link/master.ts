/** The link of the node on which a container's link sits: the key `master` of macvlan, ipvlan and vlan. */
import { boolean, CniError, integer, string } from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable } from '../../../kernel/rtnetlink/route.ts';

/** The keys that have to do with the master; to be spread into a plugin's schema. */
export const masterKeys = {
  master: string().default(''),
  linkInContainer: boolean().default(false),
  mtu: integer({ min: 0, max: 65535 }).default(0),
};

/** What they say. An empty `master` is as none, as the reference has it; so is an `mtu` of 0. */
export interface MasterConfig {
  readonly master: string;
  readonly linkInContainer: boolean;
  readonly mtu: number;
}

/** For a schema's `refine`: a master's name that no link can have. */
export function refuseMasterName(
  { master }: MasterConfig,
  report: (message: string, key: 'master') => void,
): void {
  const problem = master === '' ? undefined : interfaceNameProblem(master);
  if (problem !== undefined) report(problem, 'master');
}

/** Where a master may be. */
export interface MasterPlaces {
  readonly node: Connection;
  /** Undefined where no container is at hand: STATUS. */
  readonly container?: Connection | undefined;
}

/**
 * The master: the link of that name, or of the default route, on the node or (`linkInContainer`) in the container.
 * Throws a `CniError`: 7 where there is none or its MTU is less than `mtu`, 11 where it is down.
 */
export function findMaster(
  plugin: string,
  places: MasterPlaces,
  config: MasterConfig,
  name = config.master,
): Link {
  const { node, container } = places;
  const place = config.linkInContainer ? container : node;
  const master = place && (name === '' ? defaultRouteLink(place) : getLink(place, name));
  if (master === undefined) throw noMaster(plugin, places, config, name);
  if (config.mtu > master.mtu) {
    throw new CniError(
      'invalidConfig',
      `\`mtu\` of plugin \`${plugin}\` must be at most ${master.mtu}, the MTU of its master ${master.name}, got ${config.mtu}`,
    );
  }
  if (!master.flags.up) {
    throw new CniError(
      'tryAgainLater',
      `\`master\` of plugin \`${plugin}\`: ${master.name} is down, no packet would pass it`,
      `set it up: ip link set ${master.name} up`,
    );
  }
  return master;
}

function noMaster(plugin: string, places: MasterPlaces, config: MasterConfig, name: string): CniError {
  const { linkInContainer } = config;
  const [here, there] = linkInContainer
    ? ['in the container', 'on the node']
    : ['on the node', 'in the container'];
  if (name === '') {
    return new CniError(
      'invalidConfig',
      `\`master\` of plugin \`${plugin}\` is missing, and there is no default route ${here} to take the interface of`,
    );
  }
  const other = linkInContainer ? places.node : places.container;
  const elsewhere = other !== undefined && getLink(other, name) !== undefined;
  return new CniError(
    'invalidConfig',
    `\`master\` of plugin \`${plugin}\`: there is no interface ${name} ${here}`,
    elsewhere
      ? `there is one ${there}: \`linkInContainer\` ${linkInContainer ? 'would have to be off' : 'would take that'}`
      : '',
  );
}

/**
 * The link of the default route in the main table: IPv4's before IPv6's, the lowest metric first, as the kernel lists
 * them and as the reference takes them. Of several ways the first.
 */
function defaultRouteLink(connection: Connection): Link | undefined {
  for (const { dst, oif, nextHops } of listRoutes(connection, { table: mainTable })) {
    const index = oif ?? nextHops?.[0]?.oif;
    if (dst.length > 0 || index === undefined) continue;
    const link = getLink(connection, index);
    if (link !== undefined) return link;
  }
  return undefined;
}

/** What CHECK finds wrong with the master, and with what the container's link sits on. */
export function masterProblems(places: Required<MasterPlaces>, config: MasterConfig, link: Link): string[] {
  const { master: name, linkInContainer } = config;
  // The default route may have moved since ADD: then the container's link is as good where it was.
  if (name === '') return [];
  const master = getLink(linkInContainer ? (places.container ?? places.node) : places.node, name);
  if (master === undefined) return [`master ${name} does not exist`];
  const sitsOnIt = link.parent === master.index && (link.parentNetnsId === undefined) === linkInContainer;
  return [
    ...(sitsOnIt ? [] : [`interface ${link.name} does not sit on master ${name}`]),
    ...(master.flags.up ? [] : [`master ${name} is down`]),
  ];
}
