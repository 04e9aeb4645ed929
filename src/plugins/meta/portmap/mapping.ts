/** From the configuration, the mappings and the container's addresses to elements and chains: pure. */
import type { IpConfig, Result } from '../../../cni/index.ts';
import { type IpAddress, type Prefix, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { type WantedElement, wantElement } from '../../shared/nftables/element.ts';
import type { Wanted } from '../../shared/nftables/ownership.ts';
import type { ChainWithRules } from '../../shared/nftables/section.ts';
import type { PortMapping, PortmapConfig, Protocol } from './config.ts';
import { maps } from './maps.ts';
import { type Policy, policyChains, policyOf } from './policy.ts';

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

/** Every mapping for every target of its family; `0.0.0.0` and `::` as host address mean all of that family. */
export function publish(mappings: readonly PortMapping[], targets: readonly Prefix[]): Publication[] {
  return mappings.flatMap((mapping) => {
    const hostAddress = mapping.hostIP === undefined ? undefined : parseAddress(mapping.hostIP);
    return targets
      .filter(({ address }) => hostAddress === undefined || hostAddress.family === address.family)
      .map((target) => ({
        mapping,
        target,
        ...(hostAddress !== undefined && hostAddress.value !== 0n && { hostAddress }),
      }));
  });
}

/** What nftables must have for these publications. */
export function wantedFor(publications: readonly Publication[], config: PortmapConfig): Wanted {
  const chains = new Map<string, ChainWithRules>();
  const elements = publications.flatMap((publication) => {
    const policy = policyOf(config, publication.target);
    for (const one of policy === undefined ? [] : policyChains(policy)) chains.set(one.chain.name, one);
    return elementsFor(publication, policy);
  });
  return { elements, chains: [...chains.values()] };
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
