/** Devices that came to the node by themselves, when the namespace ended that they were in, and are not called as before. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getLink, type Link, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { renameLinkRequest } from '../../../kernel/rtnetlink/link-change.ts';
import type { Selector } from './config.ts';
import { findDevice } from './device.ts';
import { oldNameOf } from './move.ts';

/**
 * Gives the device its name again if it came back by itself. The kernel leaves it the name that it had in the
 * container, or names it `dev5`; its alias stays (default_device_exit_net, net/core/dev.c).
 * What else may have that alias is left alone. Throws NetlinkError, SystemError.
 */
export function restoreName(node: Connection, selector: Selector, ifname?: string): void {
  const link = selector.key === 'device' ? aliased(node, selector.value) : cameBack(node, selector, ifname);
  // As the kernel leaves it. Of one that is up, somebody else may have made something.
  if (link === undefined || link.flags.up) return;
  const name = oldNameOf(link);
  if (name === undefined || getLink(node, name) !== undefined) return;
  try {
    node.request(renameLinkRequest(link, name, { alias: '' }));
  } catch (error) {
    // Another container has it meanwhile, and with it its alias.
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

/** A device that is called by its name, and is not there by it: the link that has it as alias. */
export function aliased(node: Connection, name: string): Link | undefined {
  if (getLink(node, name) !== undefined) return undefined;
  return listLinks(node).find(({ alias }) => alias === name);
}

/** A device that is found by something else than its name: under one that the kernel may have left it. */
function cameBack(node: Connection, selector: Selector, ifname: string | undefined): Link | undefined {
  const link = findDevice(node, selector);
  const isNamed = link !== undefined && (link.name === ifname || /^dev\d+$/.test(link.name));
  return isNamed ? link : undefined;
}
