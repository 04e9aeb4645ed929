/** Where a container with an `ingressPolicy` is: the node's interfaces in a result, and what the kernel says they are. */
import { CniError, type Result } from '../../../cni/index.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import type { FirewallConfig } from './config.ts';

/** Where it is. */
export interface Guarded {
  readonly policy: 'same-bridge' | 'isolated';
  /**
   * The node's interface that its packets come in by: a bridge, the gateway of a vlan of one, the node's end of a cable.
   */
  readonly bridge: string;
  /** The ports of a bridge that lead to the container. */
  readonly ports: readonly Port[];
}

/** A port of a bridge that leads to a container. */
export interface Port {
  readonly name: string;
  /** The port that leads to its gateway; its own name where that is the bridge itself. */
  readonly gateway: string;
}

/** As `guardedBy`, asking the node's kernel. */
export function guardedHere(config: FirewallConfig, result: Result): Guarded | undefined {
  using node = openNode();
  return guardedBy(config, result, (link) => getLink(node, link));
}

/**
 * The first of the node's interfaces in the result is the bridge, as in the reference; ports of a bridge are the
 * container's; the node's end of a pair whose other end is such a port is the gateway of a vlan. What is not there counts as
 * a port. Undefined for the policy `open`. Throws a `CniError` (7) where the result has no interface of the node.
 */
export function guardedBy(
  { ingressPolicy: policy }: FirewallConfig,
  { interfaces = [] }: Result,
  look: (
    link: string | number,
  ) => Pick<Link, 'name' | 'masterKind' | 'kind' | 'parent' | 'parentNetnsId'> | undefined,
): Guarded | undefined {
  if (policy === 'open') return undefined;
  const [first, ...others] = interfaces.filter(({ sandbox }) => !sandbox).map(({ name }) => name);
  if (first === undefined) {
    throw new CniError(
      'invalidConfig',
      `\`ingressPolicy\` of plugin \`firewall\` is "${policy}", and the previous result names no interface of the node`,
      'it blocks what comes by other bridges: use it after bridge or ptp',
    );
  }
  let [bridge, gateway]: [string, string?] = [first];
  const ports: string[] = [];
  for (const name of others) {
    const link = look(name);
    if (link === undefined || link.masterKind === 'bridge') {
      ports.push(name);
      continue;
    }
    const isPair = link.kind === 'veth' && link.parent !== undefined && link.parentNetnsId === undefined;
    const farEnd = isPair ? look(link.parent) : undefined;
    if (farEnd?.masterKind === 'bridge') [bridge, gateway] = [name, farEnd.name];
  }
  return { policy, bridge, ports: ports.map((name) => ({ name, gateway: gateway ?? name })) };
}
