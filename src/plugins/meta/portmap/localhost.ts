/** Access from the node by 127.0.0.1: a packet from there leaves by a link only with `route_localnet`. */
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import { getRoute } from '../../../kernel/rtnetlink/route.ts';
import { linkSysctl, readSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';
import { containsAddress, type Prefix } from '../../../lib/ip.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import type { Publication } from './mapping.ts';
import { localhost } from './policy.ts';

/** Allows it where a port is published on 127.0.0.1, by the interface that leads to the container. IPv6 has no such setting. */
export function allowLocalhost(publications: readonly Publication[]): void {
  const setting = settingFor(publications);
  if (setting !== undefined) setSysctl(setting, '1');
}

/** What differs, in words. */
export function checkLocalhost(publications: readonly Publication[]): string[] {
  const setting = settingFor(publications);
  if (setting === undefined || readSysctl(setting, { ifSupported: true }) === '1') return [];
  return [`sysctl ${setting} is not 1: published ports cannot be reached by 127.0.0.1`];
}

function settingFor(publications: readonly Publication[]): string | undefined {
  const target = publications.find(isLocal)?.target;
  const name = target && linkTo(target);
  return name === undefined ? undefined : linkSysctl('ipv4', name, 'route_localnet');
}

function isLocal({ target, hostAddress }: Publication): boolean {
  if (target.address.family !== 4) return false;
  return hostAddress === undefined || containsAddress(localhost, hostAddress);
}

/** The interface that leads to the container; undefined if the node has no route to it. */
function linkTo({ address }: Prefix): string | undefined {
  using node = openNode();
  const index = getRoute(node, address)?.oif;
  return index === undefined ? undefined : getLink(node, index)?.name;
}
