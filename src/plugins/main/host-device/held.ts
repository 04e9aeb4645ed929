/** The device that an attachment moved into its container, for DEL: told from what else may have the interface's name. */
import type { DelRequest, Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import type { Selector } from './config.ts';
import { findDevice } from './device.ts';
import { oldNameOf } from './move.ts';
import { hasDevice } from './sysfs.ts';

/** Where to look. */
interface Places {
  readonly node: Connection;
  readonly container: Connection;
}

/** A device in a container, and its name on the node. */
export interface HeldDevice {
  readonly container: Connection;
  readonly link: Link;
  readonly name: string;
}

/**
 * The attachment's device; undefined where there is none. A link without an alias is no device, unless it is the
 * result's, and the configuration has its name. An ADD that was refused has no result: what was in its way may be another network's
 * device, so without a result it must be the one that is configured. Throws NetlinkError, SystemError.
 */
export function heldDevice(
  { attachment: { ifname }, previousResult }: Pick<DelRequest, 'attachment' | 'previousResult'>,
  { node, container }: Places,
  selector: Selector | undefined,
): HeldDevice | undefined {
  const link = getLink(container, ifname);
  if (link === undefined) return undefined;
  const alias = oldNameOf(link);
  if (isInResult(link, previousResult)) {
    const name = alias ?? (selector?.key === 'device' ? oldNameOf({ alias: selector.value }) : undefined);
    return name === undefined ? undefined : { container, link, name };
  }
  const isOurs =
    alias !== undefined && (selector === undefined || isSelected(link, alias, selector, { node, container }));
  return isOurs ? { container, link, name: alias } : undefined;
}

/** By its hardware address where the result has one; a later plugin may have set another, and its DEL that one. */
function isInResult({ name, alias, mac }: Link, result: Result | undefined): boolean {
  const own = result?.interfaces?.find((one) => one.name === name && one.sandbox !== undefined);
  return own !== undefined && (alias !== undefined || own.mac === mac);
}

function isSelected(link: Link, alias: string, selector: Selector, { node, container }: Places): boolean {
  const { key, value } = selector;
  if (key === 'device') return alias === value || getLink(container, value)?.index === link.index;
  if (key === 'hwaddr') return link.mac === value || link.permanentMac === value;
  return link.parentDevice === undefined
    ? // The directories of sysfs show the node's links only.
      findDevice(node, selector) === undefined
    : hasDevice(selector, link.parentDevice);
}
