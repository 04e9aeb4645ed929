/** From the mappings and the container's addresses to publications, elements and chains: pure. */
import { CniError, type IpConfig, type Result } from '../../../cni/index.ts';
import { formatAddress, type IpAddress, type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { type WantedElement, wantElement } from '../../shared/nftables/element.ts';
import { unmapAddress } from '../../shared/nftables/mapped-address.ts';
import type { Wanted } from '../../shared/nftables/ownership.ts';
import type { ChainWithRules } from '../../shared/nftables/section.ts';
import type { PortMapping, PortmapConfig, Protocol } from './config.ts';
import { entryOf } from './index-entry.ts';
import { maps } from './maps.ts';
import { type Policy, policyChains, policyOf } from './policy.ts';
import type { PublishedPort } from './stale-flows.ts';

/** IPPROTO_ numbers, linux/in.h. */
const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** A mapping to one of the container's addresses. */
export interface Publication {
  readonly mapping: PortMapping;
  readonly target: Prefix;
  /** The node's address it is published on; every one of the target's family where absent. */
  readonly hostAddress?: IpAddress;
}

/** The container's addresses that ports lead to: the first of each family that its own interface has. */
export function targetsOf(result: Result, ifname: string): Prefix[] {
  const isOwn = ({ interface: index }: IpConfig) => {
    const link = index === undefined ? undefined : result.interfaces?.[index];
    return link === undefined || (link.name === ifname && link.sandbox !== undefined && link.sandbox !== '');
  };
  const addresses = (result.ips ?? []).filter(isOwn).flatMap(({ address }) => parsePrefix(address) ?? []);
  return ([4, 6] as const).flatMap(
    (family) => addresses.find(({ address }) => address.family === family) ?? [],
  );
}

/**
 * Every mapping for every target of its family, each once; `0.0.0.0` and `::` as host address mean all of that
 * family. Throws a CniError (7) for two mappings that contradict each other.
 */
export function publish(mappings: readonly PortMapping[], targets: readonly Prefix[]): Publication[] {
  const byPort = new Map<string, Publication & { readonly index: number }>();
  for (const [index, mapping] of mappings.entries()) {
    for (const publication of publicationsOf(mapping, targets)) {
      const { target, hostAddress } = publication;
      const address = hostAddress === undefined ? target.address.family : formatAddress(hostAddress);
      const key = `${address} ${mapping.protocol} ${mapping.hostPort}`;
      const earlier = byPort.get(key);
      if (earlier === undefined) byPort.set(key, { ...publication, index });
      else if (earlier.mapping.containerPort !== mapping.containerPort)
        throw contradiction(index, earlier, mapping);
    }
  }
  return [...byPort.values()].map(({ index: _, ...publication }) => publication);
}

function publicationsOf(mapping: PortMapping, targets: readonly Prefix[]): Publication[] {
  const given = mapping.hostIP === undefined ? undefined : parseAddress(mapping.hostIP);
  const hostAddress = given && unmapAddress(given);
  return targets
    .filter(({ address }) => hostAddress === undefined || hostAddress.family === address.family)
    .map((target) => ({
      mapping,
      target,
      ...(hostAddress !== undefined && hostAddress.value !== 0n && { hostAddress }),
    }));
}

function contradiction(
  index: number,
  earlier: { readonly mapping: PortMapping; readonly index: number },
  { hostPort, protocol }: PortMapping,
): CniError {
  return new CniError(
    'invalidConfig',
    `\`runtimeConfig.portMappings[${index}]\` of plugin \`portmap\` maps host port ${hostPort}/${protocol}, which \`portMappings[${earlier.index}]\` maps to container port ${earlier.mapping.containerPort}`,
    'a host port leads to one container port',
  );
}

/** What nftables must have for these publications. */
export function wantedFor(publications: readonly Publication[], config: PortmapConfig): Wanted {
  const chains = new Map<string, ChainWithRules>();
  const policies = new Map<Prefix, Policy | undefined>();
  for (const { target } of publications) {
    if (policies.has(target)) continue;
    const policy = policyOf(config, target);
    policies.set(target, policy);
    for (const one of policy === undefined ? [] : policyChains(policy)) chains.set(one.chain.name, one);
  }
  const holdings = publications.map((publication) => ({
    entry: entryOf(portOf(publication)),
    elements: elementsFor(publication, policies.get(publication.target)),
  }));
  return { holdings, chains: [...chains.values()] };
}

/** The port that is published. */
export function portOf({ mapping, target, hostAddress }: Publication): PublishedPort {
  return {
    address: hostAddress ?? { family: target.address.family, value: 0n },
    protocol: protocolNumbers[mapping.protocol],
    port: mapping.hostPort,
  };
}

function elementsFor(
  { mapping, target, hostAddress }: Publication,
  policy: Policy | undefined,
): WantedElement[] {
  const { hostPort, containerPort, protocol, hostIP } = mapping;
  const { target: toTarget, policy: toPolicy, hostIpTarget, hostIpPolicy } = maps[target.address.family];
  const port = [protocolNumbers[protocol], hostPort] as const;
  const goal = [target.address, containerPort] as const;
  const where = hostAddress === undefined ? '' : ` of ${hostIP}`;
  const purpose = `host port ${hostPort}/${protocol}${where} (IPv${target.address.family})`;
  const chain = policy && { verdict: policy.verdict, chain: policy.chain };
  if (hostAddress === undefined) {
    return [
      wantElement(toTarget, port, goal, purpose),
      ...(chain ? [wantElement(toPolicy, port, chain, purpose)] : []),
    ];
  }
  const key = [hostAddress, ...port] as const;
  return [
    wantElement(hostIpTarget, key, goal, purpose),
    ...(chain ? [wantElement(hostIpPolicy, key, chain, purpose)] : []),
  ];
}
