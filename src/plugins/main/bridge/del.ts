/** DEL and GC of bridge: each step is tried whatever becomes of the others, and what is gone already is no error. */
import { CniError, type DelRequest, type GcRequest, messageOf } from '../../../cni/index.ts';
import { getLink, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { identityOf, isHostMacOf } from '../../shared/attachment-identity.ts';
import { openContainerIfThere, openNode } from '../../shared/node.ts';
import type { BridgeConfig } from './config.ts';
import { deleteLinkIfThere } from './port.ts';
import { collectRules, removeRules } from './rules.ts';

/**
 * Removes the links first, so that an address is free only when nobody has it any more, then what points at the
 * container, then the reservation.
 */
export async function del(request: DelRequest<BridgeConfig>): Promise<void> {
  const { attachment, ipam } = request;
  await runAll([
    () => deleteContainerLink(attachment.netns, attachment.ifname),
    () => deleteHostLink(request),
    () => removeRules(request),
    () => (ipam.configured ? ipam.del() : undefined),
  ]);
}

function deleteContainerLink(netns: string | undefined, ifname: string): void {
  using container = openContainerIfThere(netns);
  if (container !== undefined) deleteLinkIfThere(container.route, ifname);
}

/**
 * The host side goes with the container's. It is still there when the namespace's path is not known any more
 * while something keeps the namespace alive, or when the interface was renamed in the container.
 */
function deleteHostLink({ attachment }: DelRequest<BridgeConfig>): void {
  const { hostName, hostMac } = identityOf(attachment);
  using node = openNode();
  if (getLink(node, hostName)?.mac === hostMac) deleteLinkIfThere(node, hostName);
}

/** Removes the links, rules and reservations of this network that belong to no valid attachment. */
export async function collectGarbage(request: GcRequest<BridgeConfig>): Promise<void> {
  const { ipam } = request;
  await runAll([
    () => deleteStrayLinks(request),
    () => collectRules(request),
    () => (ipam.configured ? ipam.gc() : undefined),
  ]);
}

/** Ports of the bridge that were made for this network, by their hardware addresses, and for no valid attachment. */
function deleteStrayLinks({ config, network, validAttachments }: GcRequest<BridgeConfig>): void {
  const valid = new Set(validAttachments.map((one) => identityOf({ ...one, network }).hostMac));
  using node = openNode();
  const bridge = getLink(node, config.bridge);
  if (bridge === undefined) return;
  for (const port of listLinks(node, { master: bridge.index })) {
    const ours = port.kind === 'veth' && isHostMacOf(network, port.mac);
    if (ours && !valid.has(port.mac)) deleteLinkIfThere(node, port.name);
  }
}

/** Runs every step; what fails is told once all are done, in one error. */
async function runAll(steps: (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const code = first instanceof CniError ? first.code : 'internal';
  throw new CniError(code, messageOf(first), others.map(messageOf).join('; '));
}
