/** DEL and GC of ptp: each step is tried whatever becomes of the others, and what is gone already is no error. */
import type { DelRequest, GcRequest, Result } from '../../../cni/index.ts';
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import {
  deleteContainerLink,
  deleteHostLink,
  deleteLinkIfThere,
  deleteStrayHostLinks,
} from '../../../plugin/links.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import { runAll } from '../../../plugin/steps.ts';

/** Removes what points at the container, then the cable, then the reservation. */
export async function del({ attachment, ipam, previousResult }: DelRequest): Promise<void> {
  await runAll([
    async () => (await import('./rules.ts')).removeRules(attachment),
    () => deleteContainerLink(attachment),
    () => deleteHostLink(attachment),
    () => (previousResult === undefined ? undefined : deleteReferenceLinks(previousResult)),
    () => (ipam.configured ? ipam.del() : undefined),
  ]);
}

/** What the reference made has a name and a hardware address by chance: the result of ADD tells them. */
function deleteReferenceLinks({ interfaces = [] }: Result): void {
  using node = openNode();
  for (const { name, mac, sandbox } of interfaces) {
    if (sandbox !== undefined || mac === undefined) continue;
    const link = getLink(node, name);
    const leadsAway = link?.kind === 'veth' && link.parentNetnsId !== undefined && link.master === undefined;
    if (leadsAway && link.mac === mac) deleteLinkIfThere(node, link);
  }
}

/** Removes the cables, rules and reservations of this network that belong to no valid attachment. */
export async function collectGarbage(request: GcRequest): Promise<void> {
  const { ipam } = request;
  await runAll([
    () => deleteStrayHostLinks(request),
    async () => (await import('./rules.ts')).collectRules(request),
    () => (ipam.configured ? ipam.gc() : undefined),
  ]);
}
