/** bridge: connects a container to a bridge on its node. A drop-in for the reference's. */
import {
  type AddRequest,
  CniError,
  definePlugin,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { identityOf, ownerAlias } from '../../../plugin/attachment-identity.ts';
import { announceAddresses, configureInterface } from '../../../plugin/container-interface.ts';
import { deleteHostLink, refuseExistingInterface } from '../../../plugin/links.ts';
import { type Container, openContainer, openNode } from '../../../plugin/namespaces.ts';
import { requestedMac } from '../../../plugin/requested-mac.ts';
import { dnsOf } from '../../shared/dns.ts';
import { worksOverInterface } from '../../shared/ipam-order.ts';
import { describeKind, ensureBridge, refuseOtherKind } from './bridge-link.ts';
import { check } from './check.ts';
import { type BridgeConfig, bridgeSchema, wantsGateway } from './config.ts';
import { collectGarbage, del } from './del.ts';
import { ensureGateway } from './gateway.ts';
import { type Layer3, planLayer3 } from './layer3.ts';
import { configurePort, createPair, waitForPort } from './port.ts';
import { ensureVlanGateway } from './vlan-gateway.ts';

export const plugin = definePlugin({
  name: 'bridge',
  about: 'connects a container to a bridge on its node',
  config: bridgeSchema,
  add,
  del,
  check,
  gc: collectGarbage,
  status,
});

/**
 * Reserve, then create: the address first, then the links, which DEL and GC find by the names and hardware
 * addresses that follow from the attachment, then what points at the container. An IPAM plugin that needs the interface, as
 * a DHCP client does, is asked when the links are there and up.
 */
async function add(request: AddRequest<BridgeConfig>): Promise<Result> {
  const { attachment, config, common } = request;
  const { hostName, hostMac, containerMac } = { ...identityOf(attachment), ...requestedMac(request) };
  using container = openContainer(attachment);
  using node = openNode();
  refuseExistingInterface(container, attachment.ifname, attachment.netns);
  const found = getLink(node, config.bridge);
  if (found !== undefined) refuseOtherKind(found, config.bridge);

  const asksOverLink = worksOverInterface(common.ipamType);
  const before = asksOverLink ? undefined : await askIpam(request);

  const bridge = ensureBridge(node, config, found);
  const { ifname } = attachment;
  const pair = { hostName, hostMac, containerName: ifname, containerMac, netns: container.netns.fd };
  createPair(node, bridge, pair, config.mtu);
  request.onFailure(`creating link ${hostName}`, () => deleteHostLink(attachment));
  changeLink(node, hostName, { alias: ownerAlias(attachment) });
  configurePort(node, hostName, config);
  if (config.macspoofchk) (await import('./rules.ts')).guardPort(request, hostName, containerMac);
  if (asksOverLink) await setUpPort(node, hostName, container, ifname);
  const { layer3, dns } = before ?? (await askIpam(request));
  await configureContainer(container, request, layer3);
  const gateway = layer3 && wantsGateway(config) ? setUpGateway(node, bridge, config, layer3) : undefined;
  if (layer3 && config.ipMasq) (await import('./rules.ts')).masqueradeContainer(request, layer3.addresses);
  if (!config.disableContainerInterface) await waitForPort(node, hostName);
  if (layer3) announceAddresses(container, ifname, containerMac);

  return {
    interfaces: [
      { name: bridge.name, mac: hardwareAddress(node, bridge) },
      { name: hostName, mac: hostMac },
      { name: ifname, mac: containerMac, sandbox: attachment.netns },
      ...(gateway === undefined || gateway === bridge ? [] : [{ name: gateway.name, mac: gateway.mac }]),
    ],
    ...(layer3 && { ips: layer3.ips }),
    ...(layer3 && layer3.routes.length > 0 && { routes: layer3.routes }),
    ...dnsOf(common.dns, dns),
  };
}

/** What IPAM gives, if there is one. */
async function askIpam({ ipam, config }: AddRequest<BridgeConfig>) {
  if (!ipam.configured) return { layer3: undefined, dns: undefined };
  const given = await ipam.add();
  return { layer3: planLayer3(given, config), dns: given.dns };
}

/** Sets up the container's end, too, and waits until packets pass. */
async function setUpPort(
  node: Connection,
  hostName: string,
  container: Container,
  ifname: string,
): Promise<void> {
  changeLink(container, ifname, { up: true });
  await waitForPort(node, hostName);
}

async function configureContainer(
  container: Container,
  { config, attachment }: AddRequest<BridgeConfig>,
  layer3: Layer3 | undefined,
): Promise<void> {
  if (config.disableContainerInterface) return;
  await configureInterface(container, attachment.ifname, layer3 ?? {}, {
    detectDuplicates: config.enabledad,
  });
}

function setUpGateway(node: Connection, bridge: Link, config: BridgeConfig, layer3: Layer3): Link {
  const link = config.vlan === 0 ? bridge : ensureVlanGateway(node, bridge, config);
  ensureGateway(node, link, layer3.gateways, config.forceAddress);
  return link;
}

/** Read again: a bridge that others made may have taken the new port's. */
function hardwareAddress(node: Connection, bridge: Link): string {
  return getLink(node, bridge.name)?.mac ?? bridge.mac;
}

async function status({ config, ipam }: StatusRequest<BridgeConfig>): Promise<void> {
  refuseTakenName(config.bridge);
  if (ipam.configured) await ipam.status();
}

/** ADD would fail as long as another kind of link has the bridge's name. */
function refuseTakenName(name: string): void {
  using node = openNode();
  const link = getLink(node, name);
  if (link === undefined || link.kind === 'bridge') return;
  throw new CniError('pluginNotAvailable', `"${name}" is ${describeKind(link)}, not a bridge`);
}
