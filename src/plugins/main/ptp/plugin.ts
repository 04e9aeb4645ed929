/** ptp: connects a container to its node by a cable of its own, over which the node routes. A drop-in for the reference's. */
import {
  type AddRequest,
  boolean,
  CniError,
  definePlugin,
  enumeration,
  type Infer,
  integer,
  object,
  type Result,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { changeLink, createLink } from '../../../kernel/rtnetlink/link-change.ts';
import { linkSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';
import { identityOf, ownerAlias } from '../../../plugin/attachment-identity.ts';
import { deleteHostLink, refuseExistingInterface } from '../../../plugin/links.ts';
import { type Container, openContainer, openNode } from '../../../plugin/namespaces.ts';
import { prefixOf } from '../../../plugin/values.ts';
import { dnsOf } from '../../shared/dns.ts';
import { refuseNoAddress, requireIpam } from '../../shared/link/addresses.ts';
import { check } from './check.ts';
import { collectGarbage, del } from './del.ts';
import { cablesOf, configureContainer, configureHost, forwardingOf } from './routing.ts';

/** The keys of ptp, with the reference's defaults. */
export const ptpSchema = object({
  ipMasq: boolean().default(false),
  ipMasqBackend: enumeration('iptables', 'nftables').optional(),
  mtu: integer({ min: 0, max: 65535 }).default(0),
});

/** The configuration, checked. */
export type PtpConfig = Infer<typeof ptpSchema>;

export const plugin = definePlugin({
  name: 'ptp',
  about: 'connects a container to its node by a cable of its own',
  config: ptpSchema,
  add,
  del,
  check,
  gc: collectGarbage,
  async status({ ipam }) {
    requireIpam('ptp', ipam);
    await ipam.status();
  },
});

/** Reserve, then create: the address, the cable, which DEL and GC find by what follows from the attachment, the rest. */
async function add(request: AddRequest<PtpConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  requireIpam('ptp', ipam);
  using container = openContainer(attachment);
  using node = openNode();
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const given = refuseNoAddress('ptp', await ipam.add(), common.ipamType);
  const ips = (given.ips ?? []).map((one) => ({ ...one, interface: 1 }));
  const { routes = [] } = given;
  const cables = cablesOf(ips);
  for (const setting of forwardingOf(cables)) setSysctl(setting, '1');

  const { hostName, hostMac, containerMac } = makePair(request, node, container);
  await configureContainer(container, attachment.ifname, ips, routes, cables);
  configureHost(node, hostName, cables);
  if (config.ipMasq) {
    const { masqueradeContainer } = await import('./rules.ts');
    masqueradeContainer(
      request,
      ips.map(({ address }) => prefixOf(address)),
    );
  }
  return {
    interfaces: [
      { name: hostName, mac: hostMac },
      { name: attachment.ifname, mac: containerMac, sandbox: attachment.netns },
    ],
    ips,
    ...(routes.length > 0 && { routes }),
    ...dnsOf(common.dns, given.dns),
  };
}

/** Makes both ends in one message, so that a process that is killed leaves either nothing or a whole cable. */
function makePair(
  { attachment, config, onFailure }: AddRequest<PtpConfig>,
  node: Connection,
  container: Container,
) {
  const identity = identityOf(attachment);
  const { hostName, hostMac, containerMac } = identity;
  const settings = config.mtu > 0 ? { mtu: config.mtu } : {};
  const peer = { name: attachment.ifname, mac: containerMac, netns: container.netns.fd, ...settings };
  try {
    createLink(node, { kind: 'veth', name: hostName, mac: hostMac, up: true, ...settings, data: { peer } });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
    throw new CniError(
      'invalidEnvironment',
      `link ${hostName} on the node or interface ${attachment.ifname} in the container exists already`,
      'an earlier ADD was not followed by DEL',
    );
  }
  onFailure(`creating link ${hostName}`, () => deleteHostLink(attachment));
  changeLink(node, hostName, { alias: ownerAlias(attachment) });
  // The node's routes are its own: a container announces none.
  setSysctl(linkSysctl('ipv6', hostName, 'accept_ra'), '0', { ifSupported: true });
  return identity;
}
