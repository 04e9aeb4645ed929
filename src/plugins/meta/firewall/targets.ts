/** Whom the rules are about, by the result of the plugins before: pure. */
import { CniError, type Result } from '../../../cni/index.ts';
import { formatAddress, type IpAddress, parsePrefix } from '../../../lib/ip.ts';
import { unmapAddress } from '../../shared/nftables/mapped-address.ts';
import type { FirewallConfig } from './config.ts';

/** All addresses of a result, each once. */
export function addressesOf({ ips = [] }: Result): IpAddress[] {
  const found = new Map<string, IpAddress>();
  for (const { address: text } of ips) {
    const prefix = parsePrefix(text);
    if (prefix === undefined) continue;
    const address = unmapAddress(prefix.address);
    found.set(formatAddress(address), address);
  }
  return [...found.values()];
}

/** Where a container with an `ingressPolicy` is. */
export interface Guarded {
  readonly policy: 'same-bridge' | 'isolated';
  /** The node's interface that its packets come in by: a bridge, or the node's end of a cable. */
  readonly bridge: string;
  /** The ports of the bridge that lead to the container. */
  readonly ports: readonly string[];
}

/**
 * The node's interfaces in a result: the first is the bridge, as in the reference, the others are its ports. Undefined for
 * the policy `open`. Throws a `CniError` (7) where there is none.
 */
export function guardedBy(
  { ingressPolicy }: FirewallConfig,
  { interfaces = [] }: Result,
): Guarded | undefined {
  if (ingressPolicy === 'open') return undefined;
  const [bridge, ...ports] = interfaces.filter(({ sandbox }) => !sandbox).map(({ name }) => name);
  if (bridge !== undefined) return { policy: ingressPolicy, bridge, ports };
  throw new CniError(
    'invalidConfig',
    `\`ingressPolicy\` of plugin \`firewall\` is "${ingressPolicy}", and the previous result names no interface of the node`,
    'it blocks what comes by other bridges: use it after bridge or ptp',
  );
}
