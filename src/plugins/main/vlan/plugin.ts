/** vlan: gives a container the frames of one vlan of a link of the node. A drop-in for the reference's. */
import {
  type AddRequest,
  CniError,
  definePlugin,
  type Infer,
  integer,
  object,
  type Result,
  type StatusRequest,
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

/** The keys of vlan, with the reference's defaults. */
export const vlanSchema = object({
  ...masterKeys,
  vlanId: integer({ min: 0, max: 4094 }).default(0),
}).refine(refuseMasterName);

/** The configuration, checked. */
export type VlanConfig = Infer<typeof vlanSchema>;

export const plugin = definePlugin({
  name: 'vlan',
  about: 'gives a container the frames of one vlan of a link of the node',
  config: vlanSchema,
  add,
  del: delInterface('vlan'),
  check: checkOnMaster('vlan', (link, config: VlanConfig) => [
    ...differenceIn(`the vlan of interface ${link.name}`, link.data.id, config.vlanId),
    ...mtuProblems(link, config.mtu),
  ]),
  gc: gcIpam,
  async status(request: StatusRequest<VlanConfig>) {
    requireMaster(request.config, 'pluginNotAvailable');
    await statusOfMaster(request);
  },
});

/** Not the schema's business: DEL needs no master. */
function requireMaster({ master }: VlanConfig, code: 'invalidConfig' | 'pluginNotAvailable'): void {
  if (master !== '') return;
  throw new CniError(
    code,
    '`master` of plugin `vlan` is missing: it must name the interface whose vlan it is',
  );
}

/** The interface first: a DHCP client needs it. Its name tells DEL what to remove, whatever ADD got to. */
async function add(request: AddRequest<VlanConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  requireMaster(config, 'invalidConfig');
  requireIpam('vlan', ipam);
  using container = openContainer(attachment);
  using node = openNode();
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const master = findMaster('vlan', { node, container }, config);
  const place = { container, parentIn: config.linkInContainer ? container : node };
  const link = makeVlan(request, place, master);
  const given = refuseNoAddress('vlan', await ipam.add(), common.ipamType);
  const result = await finishInterface(request, container, link, given);
  // As the reference has it: the configuration's, never IPAM's.
  return { ...result, ...(common.dns && { dns: common.dns }) };
}

function makeVlan(request: AddRequest<VlanConfig>, place: Place, master: Link): Link {
  const { mtu, vlanId } = request.config;
  try {
    return makeInterface(request, place, {
      kind: 'vlan',
      parent: master.index,
      ...(mtu > 0 && { mtu }),
      data: { id: vlanId },
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
    throw new CniError(
      'tryAgainLater',
      `\`vlanId\` of plugin \`vlan\`: vlan ${vlanId} of ${master.name} has an interface already, in another container or in a namespace that is just going; there can be only one`,
      error.message,
    );
  }
}
