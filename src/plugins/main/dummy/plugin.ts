/** dummy: gives a container an interface that leads nowhere, to have addresses on. A drop-in for the reference's. */
import { type AddRequest, type CheckRequest, definePlugin, type Result } from '../../../cni/index.ts';
import { identityOf } from '../../../plugin/attachment-identity.ts';
import { refuseExistingInterface } from '../../../plugin/links.ts';
import { openContainer } from '../../../plugin/namespaces.ts';
import { refuseProblems } from '../../../plugin/steps.ts';
import { finishInterface, refuseNoAddress, requireIpam } from '../../shared/link/addresses.ts';
import { interfaceDifferences } from '../../shared/link/check.ts';
import { makeInterface } from '../../shared/link/make-interface.ts';
import { delInterface, gcIpam } from '../../shared/link/verbs.ts';

export const plugin = definePlugin({
  name: 'dummy',
  about: 'gives a container an interface that leads nowhere, to have addresses on',
  add,
  del: delInterface('dummy'),
  check,
  gc: gcIpam,
  async status({ ipam }) {
    requireIpam('dummy', ipam);
    await ipam.status();
  },
});

/** As the reference has it: the interface, then the addresses; `dns` is IPAM's. */
async function add(request: AddRequest): Promise<Result> {
  const { attachment, ipam, common } = request;
  requireIpam('dummy', ipam);
  using container = openContainer(attachment);
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const { containerMac: mac } = identityOf(attachment);
  const link = makeInterface(request, { container, parentIn: container }, { kind: 'dummy', mac });
  const given = refuseNoAddress('dummy', await ipam.add(), common.ipamType);
  const result = await finishInterface(request, container, link, given);
  return { ...result, ...(given.dns && { dns: given.dns }) };
}

async function check(request: CheckRequest): Promise<void> {
  const { attachment, ipam } = request;
  requireIpam('dummy', ipam);
  await ipam.check();
  using container = openContainer(attachment);
  refuseProblems(interfaceDifferences(container, request, 'dummy', () => []));
}
