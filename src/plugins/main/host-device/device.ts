/** The device on the node that a configuration names. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { named, type Selector } from './config.ts';
import { deviceDirectory, linkNamesOf } from './sysfs.ts';

/** The device's link, of several the first, as the reference takes it; undefined where the node has none. Throws NetlinkError, SystemError. */
export function findDevice(node: Connection, selector: Selector): Link | undefined {
  const { key, value } = selector;
  if (key === 'device') return getLink(node, value);
  if (key === 'hwaddr') return listLinks(node).find(({ mac }) => mac === value);
  const directory = deviceDirectory(selector);
  const [first] = (directory && linkNamesOf(directory)) ?? [];
  return first === undefined ? undefined : getLink(node, first);
}

/** Throws a `CniError` (7) for a link that a container cannot have: the node's loopback, or a port of another link. */
export function refuseUnusable(node: Connection, selector: Selector, { name, flags, master }: Link): void {
  if (flags.loopback) {
    throw new CniError(
      'invalidConfig',
      `${named(selector)}: ${name} is the loopback of the node, which cannot leave it`,
    );
  }
  if (master === undefined || master === 0) return;
  const masterName = getLink(node, master)?.name ?? `with index ${master}`;
  throw new CniError(
    'invalidConfig',
    `${named(selector)}: ${name} is a port of link ${masterName}, which would lose it`,
    `take it out first: ip link set ${name} nomaster`,
  );
}
