/** loopback: sets up `lo` in the container. A drop-in for the reference's; `CNI_IFNAME` does not matter. */
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type Result,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { listAddresses } from '../../../kernel/rtnetlink/address.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { formatPrefix } from '../../../lib/ip.ts';
import { openContainer, openContainerIfThere } from '../../shared/node.ts';

export const plugin = definePlugin({
  name: 'loopback',
  about: 'sets up the loopback interface of a container',
  add,
  del,
  check,
});

function add({ attachment, previousResult }: AddRequest): Result {
  using container = openContainer(attachment.netns);
  changeLink(container.route, 'lo', { up: true });
  // In a chain, what came before is what there is to tell.
  return previousResult ?? resultOf(container.route, loopbackOf(container.route), attachment.netns);
}

function resultOf(container: Connection, link: Link, sandbox: string): Result {
  return {
    interfaces: [{ name: link.name, mac: link.mac, sandbox }],
    ips: listAddresses(container, { link }).map(({ prefix }) => ({
      address: formatPrefix(prefix),
      interface: 0,
    })),
  };
}

function del({ attachment }: DelRequest): void {
  using container = openContainerIfThere(attachment.netns);
  if (container === undefined) return;
  try {
    changeLink(container.route, 'lo', { up: false });
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

function check({ attachment }: CheckRequest): void {
  using container = openContainer(attachment.netns);
  if (!loopbackOf(container.route).flags.up)
    throw new CniError(102, `interface lo is down in ${attachment.netns}`);
}

function loopbackOf(container: Connection): Link {
  const link = getLink(container, 'lo');
  if (link === undefined) throw new CniError('invalidNetns', 'the network namespace has no interface lo');
  return link;
}
