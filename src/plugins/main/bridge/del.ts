/** DEL and GC of bridge: each step is tried whatever becomes of the others, and what is gone already is no error. */
import type { DelRequest, GcRequest, Result } from '../../../cni/index.ts';
import { getLink, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { identityOf, isHostLinkOf } from '../../../plugin/attachment-identity.ts';
import { deleteContainerLink, deleteHostLink, deleteLinkIfThere } from '../../../plugin/links.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import { runAll } from '../../../plugin/steps.ts';
import { worksOverInterface } from '../../shared/ipam-order.ts';
import type { BridgeConfig } from './config.ts';

/**
 * Removes what points at the container, then the links, then the reservation: an address is free only when nobody has
 * it any more. One that a DHCP server leased is given back over the interface, before that goes.
 */
export async function del(request: DelRequest<BridgeConfig>): Promise<void> {
  const { attachment, ipam, common } = request;
  const giveBack = () => (ipam.configured ? ipam.del() : undefined);
  const isFirst = worksOverInterface(common.ipamType);
  await runAll([
    async () => (await import('./rules.ts')).removeRules(attachment),
    ...(isFirst ? [giveBack] : []),
    () => deleteContainerLink(attachment),
    () => deleteHostLinks(request),
    ...(isFirst ? [] : [giveBack]),
  ]);
}

/**
 * The host side goes with the container's. It is still there when the namespace's path is not known any more
 * while something keeps the namespace alive, or when the interface was renamed in the container.
 */
function deleteHostLinks({ attachment, config, previousResult }: DelRequest<BridgeConfig>): void {
  deleteHostLink(attachment);
  if (previousResult !== undefined) deletePortsOf(config, previousResult);
}

/** What the reference made has another name and hardware address: the result of ADD tells them. */
function deletePortsOf(config: BridgeConfig, { interfaces = [] }: Result): void {
  using node = openNode();
  for (const { name, mac, sandbox } of interfaces) {
    if (sandbox !== undefined || mac === undefined || name === config.bridge) continue;
    const link = getLink(node, name);
    const leadsAway = link?.kind === 'veth' && link.parentNetnsId !== undefined;
    if (leadsAway && link.mac === mac && link.masterKind === 'bridge') deleteLinkIfThere(node, link);
  }
}

/** Removes the links, rules and reservations of this network that belong to no valid attachment. */
export async function collectGarbage(request: GcRequest<BridgeConfig>): Promise<void> {
  const { ipam, common } = request;
  const giveBack = () => (ipam.configured ? ipam.gc() : undefined);
  const isFirst = worksOverInterface(common.ipamType);
  await runAll([
    ...(isFirst ? [giveBack] : []),
    () => deleteStrayLinks(request),
    async () => (await import('./rules.ts')).collectRules(request),
    ...(isFirst ? [] : [giveBack]),
  ]);
}

/** Ports of the bridge that were made for this network, by their addresses and aliases, and for no valid attachment. */
async function deleteStrayLinks({
  config,
  network,
  validAttachments,
}: GcRequest<BridgeConfig>): Promise<void> {
  const valid = new Set(validAttachments.map((one) => identityOf({ ...one, network }).hostMac));
  using node = openNode();
  const bridge = getLink(node, config.bridge);
  if (bridge === undefined) return;
  const strays = listLinks(node, { master: bridge.index }).filter(
    (port) => port.kind === 'veth' && isHostLinkOf(network, port) && !valid.has(port.mac),
  );
  await runAll(strays.map((port) => () => deleteLinkIfThere(node, port)));
}
