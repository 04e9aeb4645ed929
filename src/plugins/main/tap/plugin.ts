/** tap: gives a container an interface whose other end is a program, as virtual machines want it. A drop-in for the reference's. */
import { type AddRequest, type CheckRequest, definePlugin, type Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { identityOf } from '../../../plugin/attachment-identity.ts';
import { refuseExistingInterface } from '../../../plugin/links.ts';
import { openContainer } from '../../../plugin/namespaces.ts';
import { refuseProblems } from '../../../plugin/steps.ts';
import { finishInterface, refuseNoAddress } from '../../shared/link/addresses.ts';
import { differenceIn, interfaceDifferences, mtuProblems } from '../../shared/link/check.ts';
import { configuredMac } from '../../shared/link/mac.ts';
import { madeInterface } from '../../shared/link/make-interface.ts';
import { delInterface, gcIpam } from '../../shared/link/verbs.ts';
import { findBridge } from './bridge.ts';
import { type TapConfig, tapSchema } from './config.ts';
import { makeTap, requireTaps } from './make-tap.ts';

export const plugin = definePlugin({
  name: 'tap',
  about: 'gives a container an interface whose other end is a program, a virtual machine most often',
  config: tapSchema,
  add,
  del: delInterface('tun'),
  check,
  gc: gcIpam,
  async status({ ipam }) {
    requireTaps();
    if (ipam.configured) await ipam.status();
  },
});

/** The interface first, as the reference has it. Its name tells DEL what to remove, whatever ADD got to. */
async function add(request: AddRequest<TapConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  const mac = configuredMac(request) ?? identityOf(attachment).containerMac;
  using container = openContainer(attachment);
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const bridge = config.bridge === '' ? undefined : findBridge(container, config.bridge, attachment.netns);
  await makeTap(container, attachment, config);
  const link = madeInterface(request, container, 'tun');
  changeLink(container, link, { mac, mtu: config.mtu || undefined, master: bridge?.index });
  const given = ipam.configured ? refuseNoAddress('tap', await ipam.add(), common.ipamType) : {};
  // No program has opened it yet, so there is nobody who could have the address already, and no carrier to ask over.
  const result = await finishInterface(request, container, { mac }, given, { isAlone: true });
  // As the reference has it: the configuration's, never IPAM's.
  return { ...result, ...(common.dns && { dns: common.dns }) };
}

async function check(request: CheckRequest<TapConfig>): Promise<void> {
  const { attachment, config, ipam } = request;
  if (ipam.configured) await ipam.check();
  using container = openContainer(attachment);
  refuseProblems(
    interfaceDifferences(container, request, 'tun', (link) => [
      ...tapDifferences(link, config),
      ...mtuProblems(link, config.mtu),
      ...bridgeProblems(container, link, config.bridge),
    ]),
  );
}

/** What it was made with, and cannot be changed but by whoever owns it. */
function tapDifferences(link: Link & { readonly kind: 'tun' }, config: TapConfig): string[] {
  const { type, persistent, multiQueue, owner, group } = link.data;
  const of = (what: string) => `${what} of interface ${link.name}`;
  return [
    ...(type === 'tap' ? [] : [`interface ${link.name} takes IP packets, it is no tap`]),
    ...(persistent ? [] : [`interface ${link.name} would go with the program that has it open`]),
    ...differenceIn(of('multi-queue'), multiQueue, config.multiQueue),
    ...(config.owner === undefined ? [] : differenceIn(of('the owner'), owner, config.owner)),
    ...(config.group === undefined ? [] : differenceIn(of('the group'), group, config.group)),
  ];
}

function bridgeProblems(container: Connection, link: Link, name: string): string[] {
  if (name === '') return [];
  const bridge = getLink(container, name);
  if (bridge === undefined) return [`bridge ${name} does not exist`];
  return link.master === bridge.index ? [] : [`interface ${link.name} is no port of bridge ${name}`];
}
