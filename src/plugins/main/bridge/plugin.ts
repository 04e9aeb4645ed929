/** bridge: connects a container to a bridge on its node. A drop-in for the reference's. */
import {
  type AddRequest,
  CniError,
  type Dns,
  definePlugin,
  type Result,
  runtimeValue,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { settleAddresses } from '../../../kernel/rtnetlink/settle.ts';
import { linkSysctl, setSysctl, setSysctls } from '../../../kernel/sysctl/index.ts';
import { identityOf } from '../../shared/attachment-identity.ts';
import { configureInterface, refuseExistingInterface } from '../../shared/container-interface.ts';
import { type ContainerNamespace, openContainer, openNode } from '../../shared/node.ts';
import { macText } from '../../shared/schemas.ts';
import { ensureBridge, ensureGatewayAddress, refuseOtherKind } from './bridge-link.ts';
import { check } from './check.ts';
import { type BridgeConfig, bridgeSchema, wantsGateway } from './config.ts';
import { collectGarbage, del } from './del.ts';
import { type Layer3, planLayer3 } from './layer3.ts';
import { createPort, deleteLinkIfThere, waitForPort } from './port.ts';
import { guardPort, masqueradeContainer } from './rules.ts';
import { ensureVlanGateway } from './vlan-gateway.ts';

/** How long IPv6 duplicate address detection may take, in milliseconds; as long as the reference waits. */
const settleTimeout = 10_000;

const macSources = { runtimeConfig: 'mac', cniArgs: 'mac', env: 'MAC' };

export const plugin = definePlugin({
  name: 'bridge',
  about: 'connects a container to a bridge on its node',
  config: bridgeSchema,
  add,
  del,
  check,
  gc: collectGarbage,
  status: async (request) => {
    if (request.ipam.configured) await request.ipam.status();
  },
});

/**
 * Reserve, then create: the address first, then the links, which DEL and GC find by the names and hardware
 * addresses that follow from the attachment, then what points at the container.
 */
async function add(request: AddRequest<BridgeConfig>): Promise<Result> {
  const { attachment, config, ipam, common } = request;
  using container = openContainer(attachment.netns);
  using node = openNode();
  refuseExistingInterface(container.route, attachment.ifname, attachment.netns);
  const existing = getLink(node, config.bridge);
  if (existing !== undefined) refuseOtherKind(existing, config.bridge);

  const identity = identityOf(attachment);
  const containerMac = runtimeValue(request, macText, macSources) ?? identity.containerMac;
  const ipamResult = ipam.configured ? await ipam.add() : {};
  const layer3 = ipam.configured ? planLayer3(ipamResult, config) : undefined;

  const bridge = ensureBridge(node, config);
  request.onFailure(`creating link ${identity.hostName}`, () => {
    using again = openNode();
    deleteLinkIfThere(again, identity.hostName);
  });
  const { hostName, hostMac } = identity;
  const pair = {
    hostName,
    hostMac,
    peerName: attachment.ifname,
    peerMac: containerMac,
    netns: container.netns.fd,
  };
  createPort(node, bridge, pair, config);
  if (config.macspoofchk) guardPort(request, hostName, containerMac);
  await configureContainer(container, request, layer3);
  const gatewayLink = layer3 && wantsGateway(config) ? setUpGateway(node, bridge, config, layer3) : undefined;
  if (layer3 && config.ipMasq) masqueradeContainer(request, layer3.addresses);
  if (!config.disableContainerInterface) await waitForPort(node, hostName);

  return {
    interfaces: [
      { name: bridge.name, mac: bridge.mac },
      { name: hostName, mac: hostMac },
      { name: attachment.ifname, mac: containerMac, sandbox: attachment.netns },
      ...(gatewayLink === undefined || gatewayLink === bridge
        ? []
        : [{ name: gatewayLink.name, mac: gatewayLink.mac }]),
    ],
    ...(layer3 && { ips: layer3.ips }),
    ...(layer3 && layer3.routes.length > 0 && { routes: layer3.routes }),
    ...(hasDns(common.dns) ? { dns: common.dns } : ipamResult.dns && { dns: ipamResult.dns }),
  };
}

async function configureContainer(
  container: ContainerNamespace,
  { config, attachment }: AddRequest<BridgeConfig>,
  layer3: Layer3 | undefined,
): Promise<void> {
  if (config.disableContainerInterface) return;
  const { ifname } = attachment;
  const link = getLink(container.route, ifname);
  if (link === undefined)
    throw new CniError('tryAgainLater', `interface ${ifname} was removed by someone while it was set up`);
  if (layer3 !== undefined) {
    const settings = {
      [linkSysctl('ipv6', ifname, 'accept_dad')]: config.enabledad ? '1' : '0',
      [linkSysctl('ipv4', ifname, 'arp_notify')]: '1',
    };
    const ipv6 = layer3.addresses.some(({ address }) => address.family === 6);
    if (ipv6) settings[linkSysctl('ipv6', ifname, 'disable_ipv6')] = '0';
    setSysctls(settings, { netns: container.netns, ifSupported: true });
  }
  configureInterface(container.route, link, layer3?.ips ?? [], layer3?.routes ?? [], {
    detectDuplicates: config.enabledad,
  });
  if (config.enabledad) await settleAddresses(container.route, link, settleTimeout);
}

function setUpGateway(node: Connection, bridge: Link, config: BridgeConfig, layer3: Layer3): Link {
  const link = config.vlan === 0 ? bridge : ensureVlanGateway(node, bridge, config);
  for (const gateway of layer3.gateways) ensureGatewayAddress(node, link, gateway, config.forceAddress);
  const families = new Set(layer3.gateways.map(({ address }) => address.family));
  if (families.has(4)) setSysctl('net/ipv4/ip_forward', '1');
  if (families.has(6)) setSysctl('net/ipv6/conf/all/forwarding', '1');
  return link;
}

function hasDns({ nameservers, domain, search, options }: Dns = {}): boolean {
  return domain !== undefined || [nameservers, search, options].some((list) => list !== undefined);
}
