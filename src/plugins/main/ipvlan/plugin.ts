/** ipvlan: gives a container addresses of its own behind the hardware address of a link of the node. A drop-in for the reference's. */
import {
  type AddRequest,
  CniError,
  definePlugin,
  enumeration,
  type Infer,
  object,
  type Result,
} from '../../../cni/index.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import { refuseExistingInterface } from '../../../plugin/links.ts';
import { openContainer, openNode } from '../../../plugin/namespaces.ts';
import { finishInterface, refuseNoAddress, requireIpam } from '../../shared/link/addresses.ts';
import { differenceIn, mtuProblems } from '../../shared/link/check.ts';
import { makeInterface, type Place } from '../../shared/link/make-interface.ts';
import { findMaster, masterKeys, refuseMasterName } from '../../shared/link/master.ts';
import { checkOnMaster, delInterface, gcIpam, statusOfMaster } from '../../shared/link/verbs.ts';

/** The keys of ipvlan, with the reference's defaults. */
export const ipvlanSchema = object({
  ...masterKeys,
  mode: enumeration('l2', 'l3', 'l3s', '').default('l2'),
}).refine(refuseMasterName);

/** The configuration, checked. */
export type IpvlanConfig = Infer<typeof ipvlanSchema>;

export const plugin = definePlugin({
  name: 'ipvlan',
  about: 'gives a container addresses of its own behind the hardware address of a link of the node',
  config: ipvlanSchema,
  add,
  del: delInterface('ipvlan'),
  check: checkOnMaster('ipvlan', (link, config: IpvlanConfig) => [
    ...differenceIn(`the mode of interface ${link.name}`, link.data.mode, modeOf(config)),
    ...mtuProblems(link, config.mtu),
  ]),
  gc: gcIpam,
  status: statusOfMaster,
});

/** The interface first: a DHCP client needs it. Its name tells DEL what to remove, whatever ADD got to. */
async function add(request: AddRequest<IpvlanConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  const before = ipam.configured ? undefined : addressesBefore(request);
  if (before === undefined) requireIpam('ipvlan', ipam);
  using container = openContainer(attachment);
  using node = openNode();
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const master = findMaster('ipvlan', { node, container }, config, masterNameOf(request));
  const place = { container, parentIn: config.linkInContainer ? container : node };
  const link = makeIpvlan(request, place, master);
  const given = before ?? refuseNoAddress('ipvlan', await ipam.add(), common.ipamType);
  const result = await finishInterface(request, container, link, given);
  // As the reference has it: the configuration's, never IPAM's.
  return { ...result, ...(common.dns && { dns: common.dns }) };
}

/** In a chain, the addresses of the plugin before: the interface that is made takes them over. */
function addressesBefore({ previousResult }: AddRequest): Result | undefined {
  return previousResult?.ips?.length ? previousResult : undefined;
}

/** In a chain, the interface of the plugin before, which must have made one. */
function masterNameOf({ config, previousResult }: AddRequest<IpvlanConfig>): string {
  if (config.master !== '' || previousResult === undefined) return config.master;
  const [only, ...others] = previousResult.interfaces ?? [];
  if (only !== undefined && others.length === 0 && only.name !== '') return only.name;
  throw new CniError(
    'invalidConfig',
    `\`master\` of plugin \`ipvlan\` is missing, and the result of the plugin before does not have one interface but ${previousResult.interfaces?.length ?? 0}`,
  );
}

function makeIpvlan(request: AddRequest<IpvlanConfig>, place: Place, master: Link): Link {
  const { mtu } = request.config;
  try {
    return makeInterface(request, place, {
      kind: 'ipvlan',
      parent: master.index,
      ...(mtu > 0 && { mtu }),
      data: { mode: modeOf(request.config) },
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EINVAL', 'EBUSY')) throw error;
    // ipvlan_port_create (drivers/net/ipvlan/ipvlan_main.c) says no more than that.
    throw new CniError(
      'invalidConfig',
      `\`master\` of plugin \`ipvlan\`: ${master.name} takes no ipvlan; it must be an Ethernet link, no port of a bridge or bond, and without macvlans`,
      error.message,
    );
  }
}

function modeOf({ mode }: IpvlanConfig): 'l2' | 'l3' | 'l3s' {
  return mode || 'l2';
}
