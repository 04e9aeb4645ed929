/** CHECK of ptp: both ends of the cable as ADD left them, each difference named. */
import type { CheckRequest, IpConfig } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { listAddresses } from '../../../kernel/rtnetlink/address.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable, type NewRoute } from '../../../kernel/rtnetlink/route.ts';
import { describeRoute } from '../../../kernel/rtnetlink/route-change.ts';
import { readSysctl } from '../../../kernel/sysctl/index.ts';
import { formatPrefix, sameAddress } from '../../../lib/ip.ts';
import { openContainer, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems } from '../../../plugin/steps.ts';
import { requireIpam } from '../../shared/link/addresses.ts';
import { interfaceDifferences, mtuProblems } from '../../shared/link/check.ts';
import type { PtpConfig } from './plugin.ts';
import { type Cable, cablesOf, containerRoutes, forwardingOf, hostAddresses, hostRoutes } from './routing.ts';

/** Throws a CniError that names every difference. */
export async function check(request: CheckRequest<PtpConfig>): Promise<void> {
  const { attachment, config, ipam } = request;
  requireIpam('ptp', ipam);
  await ipam.check();
  using container = openContainer(attachment);
  using node = openNode();
  const cables = cablesOf(ownAddresses(request));
  const problems = [
    ...interfaceDifferences(container, request, 'veth', (link) => [
      ...mtuProblems(link, config.mtu),
      ...missingRoutes(container, link, containerRoutes(cables)),
      ...hostProblems(node, link, cables, request),
    ]),
    ...forwardingOf(cables)
      .filter((setting) => readSysctl(setting) !== '1')
      .map((setting) => `the node does not forward: ${setting} is off`),
  ];
  if (config.ipMasq) {
    const { checkRules } = await import('./rules.ts');
    const addresses = cables.map(({ address }) => address);
    problems.push(...(await checkRules(attachment, addresses)));
  }
  refuseProblems(problems);
}

/** The result's addresses of this interface, not those that later plugins gave it: ours have gateways, or ADD had failed. */
function ownAddresses({ attachment, previousResult }: CheckRequest): readonly IpConfig[] {
  const { interfaces = [], ips = [] } = previousResult;
  const own = interfaces.findIndex(
    ({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined,
  );
  return ips.filter((ip) => (ip.interface === undefined || ip.interface === own) && ip.gateway !== undefined);
}

function hostProblems(
  node: Connection,
  link: Link,
  cables: readonly Cable[],
  { config, previousResult }: CheckRequest<PtpConfig>,
): string[] {
  const host = hostEndOf(node, link);
  if (host === undefined) return [`no link of the node leads to interface ${link.name}`];
  const { interfaces = [] } = previousResult;
  const told = interfaces.find(({ name, sandbox }) => name === host.name && sandbox === undefined);
  const present = listAddresses(node, { link: host }).map(({ prefix }) => formatPrefix(prefix));
  return [
    ...(told?.mac === undefined || told.mac === host.mac
      ? []
      : [`link ${host.name} has hardware address ${host.mac}, the result of ADD says ${told.mac}`]),
    ...(host.flags.up ? [] : [`link ${host.name} is down`]),
    ...mtuProblems(host, config.mtu),
    ...hostAddresses(cables)
      .map(formatPrefix)
      .filter((address) => !present.includes(address))
      .map((address) => `link ${host.name} has no address ${address}, the container's gateway`),
    ...missingRoutes(node, host, hostRoutes(cables)),
  ];
}

/** The node's end: two links that name each other by index. */
function hostEndOf(node: Connection, link: Link): Link | undefined {
  if (link.parent === undefined || link.parentNetnsId === undefined) return undefined;
  const other = getLink(node, link.parent);
  return other?.kind === 'veth' && other.parent === link.index ? other : undefined;
}

function missingRoutes(connection: Connection, link: Link, wanted: readonly NewRoute[]): string[] {
  const present = listRoutes(connection, { table: mainTable, oif: link.index });
  return wanted
    .filter(
      ({ dst, gateway }) =>
        !present.some(
          (route) =>
            formatPrefix(route.dst) === formatPrefix(dst) &&
            (gateway === undefined
              ? route.gateway === undefined
              : route.gateway !== undefined && sameAddress(route.gateway, gateway)),
        ),
    )
    .map((route) => `there is no route ${describeRoute({ ...route, oif: link })}`);
}
