/** CHECK of bridge: everything as ADD left it, each difference named. */
import type { CheckRequest, Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { identityOf } from '../../../plugin/attachment-identity.ts';
import { addressAndRouteProblems } from '../../../plugin/container-interface.ts';
import { openContainer, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems } from '../../../plugin/steps.ts';
import { describeKind } from './bridge-link.ts';
import { type BridgeConfig, vlanLinkName, wantsGateway } from './config.ts';
import { missingGateways } from './gateway.ts';
import { checkPortVlans } from './port-vlans.ts';

/** Throws a CniError that names every difference. */
export async function check(request: CheckRequest<BridgeConfig>): Promise<void> {
  const { attachment, config, ipam, previousResult } = request;
  if (ipam.configured) await ipam.check();
  using container = openContainer(attachment);
  using node = openNode();
  const bridge = getLink(node, config.bridge);
  const link = getLink(container, attachment.ifname);
  const port = link === undefined ? undefined : hostSideOf(node, link);
  const problems = [
    ...checkBridge(bridge, config, previousResult),
    ...checkContainer(container, link, request),
    ...(bridge && link ? checkPort(node, bridge, link, port, request) : []),
    ...(wantsGateway(config) ? checkGateways(node, config, previousResult) : []),
    ...(await checkRulesIfAny(request, port?.name ?? identityOf(attachment).hostName)),
  ];
  refuseProblems(problems);
}

function checkBridge(bridge: Link | undefined, config: BridgeConfig, result: Result): string[] {
  if (bridge === undefined) return [`bridge ${config.bridge} does not exist`];
  if (bridge.kind !== 'bridge') return [`${config.bridge} is ${describeKind(bridge)}, not a bridge`];
  return [
    ...checkMac(`bridge ${bridge.name}`, bridge, interfaceOfNode(result, bridge.name)?.mac),
    ...(bridge.flags.up ? [] : [`bridge ${bridge.name} is down`]),
    ...(config.promiscMode && !bridge.flags.promisc
      ? [`bridge ${bridge.name} is not in promiscuous mode`]
      : []),
  ];
}

function interfaceOfNode({ interfaces = [] }: Result, name: string) {
  return interfaces.find((one) => one.name === name && one.sandbox === undefined);
}

function checkMac(what: string, { mac }: Link, expected: string | undefined): string[] {
  if (!expected || expected === mac) return [];
  return [`${what} has hardware address ${mac}, the result of ADD says ${expected}`];
}

function checkContainer(
  container: Connection,
  link: Link | undefined,
  { attachment, config, previousResult }: CheckRequest<BridgeConfig>,
): string[] {
  if (link === undefined) return [`interface ${attachment.ifname} does not exist in ${attachment.netns}`];
  if (link.kind !== 'veth') return [`interface ${link.name} is ${describeKind(link)}, not a veth`];
  const { interfaces = [], ips = [], routes = [] } = previousResult;
  const index = interfaces.findIndex(
    ({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined,
  );
  const up = link.flags.up || config.disableContainerInterface;
  const own = ips.filter((ip) => ip.interface === undefined || ip.interface === index);
  return [
    ...checkMac(`interface ${link.name}`, link, interfaces[index]?.mac),
    ...(up ? [] : [`interface ${link.name} is down`]),
    ...checkMtu('interface', link, config),
    ...addressAndRouteProblems(container, link, own, routes),
  ];
}

function checkMtu(what: string, { name, mtu }: Link, config: BridgeConfig): string[] {
  if (config.mtu === 0 || mtu === config.mtu) return [];
  return [`${what} ${name} has MTU ${mtu}, \`mtu\` says ${config.mtu}`];
}

/** The node's end of the container's cable: two links that name each other by index. */
function hostSideOf(node: Connection, link: Link): Link | undefined {
  if (link.kind !== 'veth' || link.parent === undefined) return undefined;
  const other = getLink(node, link.parent);
  return other?.kind === 'veth' && other.parent === link.index ? other : undefined;
}

function checkPort(
  node: Connection,
  bridge: Link,
  link: Link,
  port: Link | undefined,
  { config, previousResult }: CheckRequest<BridgeConfig>,
): string[] {
  if (port === undefined) return [`no link of the node leads to interface ${link.name}`];
  if (port.master !== bridge.index) return [`link ${port.name} is no port of bridge ${bridge.name}`];
  const { hairpin = false, isolated = false } = port.bridgePort ?? {};
  return [
    ...checkMac(`bridge port ${port.name}`, port, interfaceOfNode(previousResult, port.name)?.mac),
    ...(port.flags.up ? [] : [`bridge port ${port.name} is down`]),
    ...checkMtu('bridge port', port, config),
    ...(hairpin === config.hairpinMode
      ? []
      : [`bridge port ${port.name} has hairpin mode ${onOff(hairpin)}`]),
    ...(isolated === config.portIsolation
      ? []
      : [`bridge port ${port.name} has isolation ${onOff(isolated)}`]),
    ...checkPortVlans(node, port, config),
  ];
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}

function checkGateways(node: Connection, config: BridgeConfig, result: Result): string[] {
  const name = config.vlan === 0 ? config.bridge : vlanLinkName(config);
  const link = getLink(node, name);
  if (link === undefined) return [`interface ${name} with the gateway addresses does not exist`];
  const gateways = (result.ips ?? []).flatMap(({ address, gateway }): Prefix[] => {
    const prefix = parsePrefix(address);
    const router = gateway === undefined ? undefined : parseAddress(gateway);
    return prefix && router ? [{ address: router, length: prefix.length }] : [];
  });
  return [
    ...(link.flags.up || config.vlan === 0 ? [] : [`interface ${name} with the gateway addresses is down`]),
    ...missingGateways(node, link, gateways),
  ];
}

async function checkRulesIfAny(request: CheckRequest<BridgeConfig>, port: string): Promise<string[]> {
  const { ipMasq, macspoofchk } = request.config;
  if (!ipMasq && !macspoofchk) return [];
  return (await import('./rules.ts')).checkRules(request, port);
}
