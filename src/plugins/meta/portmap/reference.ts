/** The rules of the reference's portmap: iptables, or since its version 1.6.0 nftables (portmap_iptables.go, portmap_nftables.go). */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import { iptablesChain, namesGone, type ReferenceRules } from '../../shared/nftables/reference-rules.ts';

const entry = 'CNI-HOSTPORT-DNAT';
const tables = (['ip', 'ip6'] as const).map((family) => ({ family, name: 'cni_hostport' }));
const chains = ['hostports', 'hostip_hostports', 'masquerading'];

/** An attachment's. The nftables backend's comment is the container's id alone. */
export function referenceRules(attachment: Attachment): ReferenceRules {
  const isMeant = (comment: string) => comment === attachment.containerId;
  return {
    iptables: { entry, chain: iptablesChain(attachment, 'DN-') },
    nftables: { tables, chains, isMeant },
  };
}

/** Those of a network's containers that are gone. The nftables backend's do not tell the network. */
export function goneReferenceRules(network: string, valid: readonly ValidAttachment[]): ReferenceRules {
  return {
    iptables: { entry, isGone: namesGone(network, valid) },
    nftables: { tables, chains, isMeant: () => false },
  };
}
