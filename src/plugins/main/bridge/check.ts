/** CHECK of bridge: everything as ADD left it, each difference named. */
import { type CheckRequest, CniError, type Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { listBridgeVlans } from '../../../kernel/rtnetlink/bridge-vlan.ts';
import { getLink, type Link, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { identityOf } from '../../shared/attachment-identity.ts';
import { checkInterface } from '../../shared/container-interface.ts';
import { openContainer, openNode } from '../../shared/node.ts';
import { missingGateways } from './bridge-link.ts';
import { type BridgeConfig, trunkVlans, vlanLinkName, wantsGateway } from './config.ts';
import { checkRules } from './rules.ts';

/** The plugin's own code for "not as ADD left it" (SPEC.md section 5: 100 and above). */
const differs = 102;

/** Throws a CniError that names every difference. */
export async function check(request: CheckRequest<BridgeConfig>): Promise<void> {
  const { attachment, config, ipam, previousResult } = request;
  if (ipam.configured) await ipam.check();
  using container = openContainer(attachment.netns);
  using node = openNode();
  const bridge = getLink(node, config.bridge);
  const link = getLink(container.route, attachment.ifname);
  const problems = [
    ...checkBridge(bridge, config, previousResult),
    ...checkContainer(container.route, link, request),
    ...(bridge && link ? checkPort(node, bridge, link, config) : []),
    ...(wantsGateway(config) ? checkGateways(node, config, previousResult) : []),
    ...checkRules(request, identityOf(attachment).hostName),
  ];
  const [first, ...others] = problems;
  if (first !== undefined) throw new CniError(differs, first, others.join('; '));
}

function checkBridge(bridge: Link | undefined, config: BridgeConfig, result: Result): string[] {
  if (bridge === undefined) return [`bridge ${config.bridge} does not exist`];
  if (bridge.kind !== 'bridge')
    return [`${config.bridge} is a ${bridge.kindName ?? 'link without a kind'}, not a bridge`];
  const expected = result.interfaces?.find(
    ({ name, sandbox }) => name === config.bridge && sandbox === undefined,
  );
  return [
    ...(expected?.mac && expected.mac !== bridge.mac
      ? [`bridge ${bridge.name} has hardware address ${bridge.mac}, the result of ADD says ${expected.mac}`]
      : []),
    ...(bridge.flags.up ? [] : [`bridge ${bridge.name} is down`]),
    ...(config.promiscMode && !bridge.flags.promisc
      ? [`bridge ${bridge.name} is not in promiscuous mode`]
      : []),
  ];
}

function checkContainer(
  container: Connection,
  link: Link | undefined,
  request: CheckRequest<BridgeConfig>,
): string[] {
  const { attachment, config, previousResult } = request;
  if (link === undefined) return [`interface ${attachment.ifname} does not exist in ${attachment.netns}`];
  if (link.kind !== 'veth')
    return [`interface ${link.name} is a ${link.kindName ?? 'link without a kind'}, not a veth`];
  const index =
    previousResult.interfaces?.findIndex(
      ({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined,
    ) ?? -1;
  const expected = previousResult.interfaces?.[index];
  const ips = previousResult.ips?.filter((ip) => ip.interface === undefined || ip.interface === index) ?? [];
  const up = link.flags.up || config.disableContainerInterface;
  return [
    ...(expected?.mac && expected.mac !== link.mac
      ? [`interface ${link.name} has hardware address ${link.mac}, the result of ADD says ${expected.mac}`]
      : []),
    ...(up ? [] : [`interface ${link.name} is down`]),
    ...(config.mtu > 0 && link.mtu !== config.mtu
      ? [`interface ${link.name} has MTU ${link.mtu}, \`mtu\` says ${config.mtu}`]
      : []),
    ...checkInterface(container, link, ips, previousResult.routes ?? []),
  ];
}

/** The port is the bridge's whose peer is the container's interface: two links that name each other by index. */
function checkPort(node: Connection, bridge: Link, link: Link, config: BridgeConfig): string[] {
  const port = listLinks(node, { master: bridge.index }).find(
    (one) => one.index === link.parent && one.parent === link.index,
  );
  if (port === undefined) return [`no port of bridge ${bridge.name} leads to interface ${link.name}`];
  const { hairpin = false, isolated = false } = port.bridgePort ?? {};
  return [
    ...(port.flags.up ? [] : [`bridge port ${port.name} is down`]),
    ...(hairpin === config.hairpinMode
      ? []
      : [`bridge port ${port.name} has hairpin mode ${onOff(hairpin)}`]),
    ...(isolated === config.portIsolation
      ? []
      : [`bridge port ${port.name} has isolation ${onOff(isolated)}`]),
    ...checkVlans(node, port, config),
  ];
}

function checkVlans(node: Connection, port: Link, config: BridgeConfig): string[] {
  const wanted = [...(config.vlan === 0 ? [] : [config.vlan]), ...trunkVlans(config.vlanTrunk ?? [])];
  if (wanted.length === 0) return [];
  const vlans = listBridgeVlans(node).get(port.index) ?? [];
  const missing = wanted.filter((id) => !vlans.some((one) => one.id === id));
  return [
    ...(missing.length === 0
      ? []
      : [`bridge port ${port.name} does not let vlan ${missing.join(', ')} through`]),
    ...(config.vlan === 0 || vlans.some(({ id, pvid }) => pvid && id === config.vlan)
      ? []
      : [`bridge port ${port.name} has not ${config.vlan} as its own vlan`]),
  ];
}

function checkGateways(node: Connection, config: BridgeConfig, result: Result): string[] {
  const name = config.vlan === 0 ? config.bridge : vlanLinkName(config);
  const link = getLink(node, name);
  if (link === undefined) return [`interface ${name} with the gateway addresses does not exist`];
  const gateways = (result.ips ?? []).flatMap(({ address, gateway }): Prefix[] => {
    const [prefix, router] = [
      parsePrefix(address),
      gateway === undefined ? undefined : parseAddress(gateway),
    ];
    return prefix && router ? [{ address: router, length: prefix.length }] : [];
  });
  return missingGateways(node, link, gateways);
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
