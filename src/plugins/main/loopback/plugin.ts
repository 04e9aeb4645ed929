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
import { containsAddress, formatPrefix, type IpAddress, type Prefix, parsePrefix } from '../../../lib/ip.ts';
import { openContainer, openContainerIfThere } from '../../../plugin/namespaces.ts';

/** The plugin's own code for "not as ADD left it" (SPEC.md section 5: 100 and above). */
const differs = 102;

export const plugin = definePlugin({
  name: 'loopback',
  about: 'sets up the loopback interface of a container',
  add,
  del,
  check,
});

function add({ attachment, previousResult }: AddRequest): Result {
  using container = openContainer(attachment);
  changeLink(container, 'lo', { up: true });
  const addresses = firstAddresses(container, loopbackOf(container));
  // In a chain, what came before is what there is to tell.
  if (previousResult !== undefined) return previousResult;
  return {
    interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: attachment.netns }],
    ips: addresses.map((prefix) => ({ address: formatPrefix(prefix), interface: 0 })),
  };
}

/** The first address of each family, as the reference tells them. Throws a CniError for one that is no loopback address. */
function firstAddresses(container: Connection, link: Link): Prefix[] {
  const prefixes = listAddresses(container, { link }).map(({ prefix }) => prefix);
  const foreign = prefixes.find(({ address }) => !isLoopback(address));
  if (foreign !== undefined) {
    throw new CniError(
      'invalidNetns',
      `interface lo has the address ${formatPrefix(foreign)}, which is no loopback address`,
      'remove it from the network namespace',
    );
  }
  const first = (family: 4 | 6) => prefixes.find(({ address }) => address.family === family) ?? [];
  return [first(4), first(6)].flat();
}

/** RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
const loopbackNetworks = ['127.0.0.0/8', '::1/128'].flatMap((text) => parsePrefix(text) ?? []);

function isLoopback(address: IpAddress): boolean {
  return loopbackNetworks.some((network) => containsAddress(network, address));
}

function del({ attachment }: DelRequest): void {
  using container = openContainerIfThere(attachment);
  if (container === undefined) return;
  try {
    changeLink(container, 'lo', { up: false });
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

function check({ attachment }: CheckRequest): void {
  using container = openContainer(attachment);
  if (!loopbackOf(container).flags.up)
    throw new CniError(differs, `interface lo is down in ${attachment.netns}`);
}

function loopbackOf(container: Connection): Link {
  const link = getLink(container, 'lo');
  if (link === undefined) throw new CniError('invalidNetns', 'the network namespace has no interface lo');
  return link;
}
