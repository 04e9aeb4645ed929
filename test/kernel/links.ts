/** What the tests of links share: a connection, and links by name. */
import { NETLINK_ROUTE, openConnection, rtnetlink as r } from '../../src/kernel/index.ts';
import { removeContainers } from '../support/container.ts';
import { requireSandbox } from '../support/sandbox.ts';
import { iproute } from './iproute.ts';

/** To the namespace that the test file runs in, for as long as it runs. */
export const connection = openConnection(NETLINK_ROUTE);

/** Hardware addresses, where the kernel's random ones would be in the way of comparing. */
export const mac = '02:00:00:00:00:01';
export const peerMac = '02:00:00:00:00:02';

/** The link that must be there. */
export function link(name: string): r.Link {
  const found = r.getLink(connection, name);
  if (found === undefined) throw new Error(`no link ${name}`);
  return found;
}

/** Removes every link and container that a test made: `afterEach(removeLinks)`. */
export async function removeLinks(): Promise<void> {
  requireSandbox();
  removeContainers();
  for (const { name, kind } of r.listLinks(connection)) {
    // What is of no kind that Fairlead makes is the kernel's own: lo, and fallback tunnels, which cannot be deleted.
    if (kind !== undefined && r.getLink(connection, name) !== undefined) await iproute(`ip link del ${name}`);
  }
}
