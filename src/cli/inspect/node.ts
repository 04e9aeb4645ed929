/** What the node has for an attachment: links, gateway addresses, settings, rules, reservations. */
import { isJsonObject } from '../../cni/json.ts';
import { listAddresses } from '../../kernel/rtnetlink/address.ts';
import { type Link, listLinks } from '../../kernel/rtnetlink/link.ts';
import { listRules } from '../../kernel/rtnetlink/rule.ts';
import { readSysctl } from '../../kernel/sysctl/index.ts';
import { formatAddress, parseAddress, parsePrefix, sameAddress } from '../../lib/ip.ts';
import type { Node } from '../../plugin/namespaces.ts';
import { dataDirOf, hostLocalSchema } from '../../plugins/ipam/host-local/config.ts';
import { readContent } from '../../plugins/ipam/host-local/reservation.ts';
import { linkText, ruleText } from './container.ts';
import { also, compared, type Fact } from './fact.ts';
import type { Attached } from './plugins.ts';

/** Everything outside the container but nftables. */
export function nodeFacts(node: Node, attached: Attached): Fact[] {
  const links = listLinks(node);
  return [
    ...linkFacts(links, attached),
    ...gatewayFacts(node, links, attached),
    ...forwardingFacts(attached),
    ...ruleFacts(node, attached),
    ...reservationFacts(attached),
  ];
}

function linkFacts(links: readonly Link[], { result }: Attached): Fact[] {
  const ofNode = (result.interfaces ?? []).filter(({ sandbox }) => !sandbox);
  const bridges = ofNode.map(({ name }) => name);
  return ofNode.map(({ name, mac = '' }) => {
    const link = links.find((one) => one.name === name);
    const master = links.find(({ index }) => index === link?.master)?.name;
    // A bridge of the result, and a veth of it beside: the one is meant to be the other's port.
    const wanted =
      link?.kindName === 'veth'
        ? links.find((one) => one.kindName === 'bridge' && bridges.includes(one.name))?.name
        : undefined;
    const text = link && `${linkText(link)}${master === undefined ? '' : `, port of ${master}`}`;
    const isRight =
      link?.flags.up === true &&
      (mac === '' || mac === link.mac) &&
      (wanted === undefined || master === wanted);
    return compared(
      {
        group: 'links',
        what: `link ${name} on the node`,
        configured: [mac, wanted && `port of ${wanted}`].filter((word) => word).join(', '),
      },
      text,
      isRight,
    );
  });
}

/** The plugins' own configuration, whoever's plugin it is: bridge and its like have these keys. */
function says({ network }: Attached, ...keys: readonly string[]): boolean {
  return network?.plugins.some(({ json }) => keys.some((key) => json[key] === true)) === true;
}

function gatewayFacts(node: Node, links: readonly Link[], attached: Attached): Fact[] {
  if (!says(attached, 'isGateway', 'isDefaultGateway')) return [];
  const addresses = listAddresses(node);
  return (attached.result.ips ?? []).flatMap(({ gateway }): Fact[] => {
    const address = gateway === undefined ? undefined : parseAddress(gateway);
    if (gateway === undefined || address === undefined) return [];
    const found = addresses.find(({ prefix }) => sameAddress(prefix.address, address));
    const link = links.find(({ index }) => index === found?.linkIndex)?.name;
    const fact = { group: 'addresses', what: 'gateway on the node', configured: gateway } as const;
    return [compared(fact, found && `${gateway} on ${link ?? found.linkIndex}`)];
  });
}

const forwarding = { 4: 'net/ipv4/ip_forward', 6: 'net/ipv6/conf/all/forwarding' } as const;

function forwardingFacts(attached: Attached): Fact[] {
  if (!says(attached, 'isGateway', 'isDefaultGateway', 'ipMasq')) return [];
  const families = (attached.result.ips ?? []).map(({ address }) => (address.includes(':') ? 6 : 4));
  return [...new Set(families)].map((family) => {
    const found = readSysctl(forwarding[family], { ifSupported: true });
    return compared({ group: 'settings', what: forwarding[family], configured: '1' }, found, found !== '0');
  });
}

/** Rules that name one of the container's addresses: somebody leads its packets elsewhere. */
function ruleFacts(node: Node, { result }: Attached): Fact[] {
  const own = (result.ips ?? []).flatMap(({ address }) => parsePrefix(address)?.address ?? []);
  return listRules(node)
    .filter(({ src, dst }) =>
      own.some((one) => [src, dst].some((prefix) => prefix && sameAddress(prefix.address, one))),
    )
    .map((rule) => also('routes', 'rule on the node', ruleText(rule)));
}

function reservationFacts(attached: Attached): Fact[] {
  const { network, cached, result } = attached;
  const plugin = network?.plugins.find(
    ({ json }) => isJsonObject(json.ipam) && json.ipam.type === 'host-local',
  );
  const config = plugin && hostLocalSchema.read(plugin.json, [], []);
  if (config === undefined) return [];
  return (result.ips ?? []).flatMap(({ address }): Fact[] => {
    const prefix = parsePrefix(address);
    if (prefix === undefined) return [];
    const text = formatAddress(prefix.address);
    const content = readContent(`${dataDirOf(config)}/${cached.network}/${text}`);
    const owner = content?.owner;
    const isRight =
      owner?.containerId === cached.containerId && (owner.ifname ?? cached.ifname) === cached.ifname;
    const found =
      owner && (isRight ? `${text}, held by this attachment` : `held by container ${owner.containerId}`);
    const fact = { group: 'reservations', what: 'reservation in host-local', configured: text } as const;
    return [compared(fact, content && (found ?? 'held by somebody unknown'), isRight)];
  });
}
