/** macvlan: gives a container a hardware address of its own on a link of the node. A drop-in for the reference's. */
import { type AddRequest, CniError, definePlugin, type Result } from '../../../cni/index.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { refuseExistingInterface } from '../../../plugin/links.ts';
import { openContainer, openNode } from '../../../plugin/namespaces.ts';
import { finishInterface, refuseNoAddress } from '../../shared/link/addresses.ts';
import { differenceIn, mtuProblems } from '../../shared/link/check.ts';
import { configuredMac } from '../../shared/link/mac.ts';
import { makeInterface, type Place } from '../../shared/link/make-interface.ts';
import { findMaster } from '../../shared/link/master.ts';
import { checkOnMaster, delInterface, gcIpam, statusOfMaster } from '../../shared/link/verbs.ts';
import { type MacvlanConfig, macvlanSchema } from './config.ts';

export const plugin = definePlugin({
  name: 'macvlan',
  about: 'gives a container a hardware address of its own on a link of the node',
  config: macvlanSchema,
  add,
  del: delInterface('macvlan'),
  check: checkOnMaster('macvlan', (link, config: MacvlanConfig) => [
    ...differenceIn(`the mode of interface ${link.name}`, link.data.mode, modeOf(config)),
    ...mtuProblems(link, config.mtu),
    ...queueProblems(link.data.broadcastQueueLength, config),
  ]),
  gc: gcIpam,
  status: statusOfMaster,
});

/** The interface first: a DHCP client needs it. Its name tells DEL what to remove, whatever ADD got to. */
async function add(request: AddRequest<MacvlanConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  // Without, the kernel takes one by chance, as the reference lets it: one that followed from the attachment would be in
  // use until the kernel has done with a namespace that the container had before (macvlan_open refuses it).
  const mac = configuredMac(request);
  using container = openContainer(attachment);
  using node = openNode();
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const master = findMaster('macvlan', { node, container }, config);
  const place = { container, parentIn: config.linkInContainer ? container : node };
  const link = makeMacvlan(request, place, master, mac);
  const given = ipam.configured ? refuseNoAddress('macvlan', await ipam.add(), common.ipamType) : {};
  const result = await finishInterface(request, container, link, given).catch((error: unknown) => {
    throw isNetlinkError(error, 'EADDRINUSE') ? macInUse(link, master, error.message) : error;
  });
  // As the reference has it: the configuration's, never IPAM's.
  return { ...result, ...(common.dns && { dns: common.dns }) };
}

function makeMacvlan(
  request: AddRequest<MacvlanConfig>,
  place: Place,
  master: Link,
  mac: MacAddress | undefined,
): Link {
  const { config } = request;
  const { mtu, bcqueuelen } = config;
  try {
    return makeInterface(request, place, {
      kind: 'macvlan',
      parent: master.index,
      ...(mac !== undefined && { mac }),
      ...(mtu > 0 && { mtu }),
      data: { mode: modeOf(config), ...(bcqueuelen > 0 && { broadcastQueueLength: bcqueuelen }) },
    });
  } catch (error) {
    throw isNetlinkError(error, 'EINVAL', 'EBUSY') ? refusedBy(master, config, error.message) : error;
  }
}

/** macvlan_open (drivers/net/macvlan.c). */
function macInUse(link: Link, master: Link, details: string): CniError {
  return new CniError(
    'tryAgainLater',
    `hardware address ${link.mac} is in use on master ${master.name}, by another container or by a namespace that is just going`,
    details,
  );
}

/** macvlan_common_newlink and macvlan_port_create (drivers/net/macvlan.c) say no more than EINVAL or EBUSY. */
function refusedBy(master: Link, config: MacvlanConfig, details: string): CniError {
  return new CniError(
    'invalidConfig',
    `\`master\` of plugin \`macvlan\`: ${master.name} takes no macvlan of mode ${modeOf(config)}; it must be an Ethernet link, no port of a bridge or bond, and one in mode passthru is the only one of its master`,
    details,
  );
}

function modeOf({ mode }: MacvlanConfig): 'bridge' | 'private' | 'vepa' | 'passthru' {
  return mode || 'bridge';
}

/** The kernel tells the length since 5.11. */
function queueProblems(length: number | undefined, { bcqueuelen }: MacvlanConfig): string[] {
  if (bcqueuelen === 0 || length === undefined) return [];
  return differenceIn('the length of the broadcast queue', length, bcqueuelen);
}
