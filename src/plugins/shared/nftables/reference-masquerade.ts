/**
 * Masquerading by the reference plugins, which containers have that were attached before a node was switched. Loaded only
 * where there is none of Fairlead's.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import {
  hasReferenceRules,
  iptablesChain,
  namesGone,
  type ReferenceRules,
  referenceDigest,
  removeReferenceRules,
} from './reference-rules.ts';

/** Removes what they wrote for the attachment. */
export function removeReferenceMasquerade(connection: Connection, attachment: Attachment): Promise<void> {
  return removeReferenceRules(connection, referenceRulesOf(attachment));
}

/** Removes what they wrote for attachments of the network that are gone. */
export function collectReferenceMasquerade(
  connection: Connection,
  network: string,
  valid: readonly ValidAttachment[],
): Promise<void> {
  const beginning = `${referenceDigest(network)}-`;
  const kept = valid.map((attachment) => commentBeginning({ network, ...attachment }));
  return removeReferenceRules(connection, {
    iptables: { entry: 'POSTROUTING', isGone: namesGone(network, valid) },
    nftables: {
      ...backend,
      isMeant: (comment) => comment.startsWith(beginning) && !kept.some((one) => comment.startsWith(one)),
    },
  });
}

/** Whether they masquerade the attachment. */
export function hasReferenceMasquerade(connection: Connection, attachment: Attachment): boolean {
  return hasReferenceRules(connection, referenceRulesOf(attachment));
}

/** The places: iptables, or since their version 1.6.0 nftables (pkg/ip/ipmasq_iptables_linux.go, ipmasq_nftables_linux.go). */
function referenceRulesOf(attachment: Attachment): ReferenceRules {
  const beginning = commentBeginning(attachment);
  return {
    iptables: { entry: 'POSTROUTING', chain: iptablesChain(attachment) },
    nftables: { ...backend, isMeant: (comment) => comment.startsWith(beginning) },
  };
}

const backend = {
  tables: [{ family: 'inet', name: 'cni_plugins_masquerade' }],
  chains: ['masq_checks'],
} as const;

function commentBeginning({ network, containerId, ifname }: Attachment): string {
  return `${referenceDigest(network)}-${referenceDigest(`${ifname}:${containerId}`)}`;
}
