/** The rules of the reference's portmap: iptables, or since its version 1.6.0 nftables (portmap_iptables.go, portmap_nftables.go). */
import type { Attachment } from '../../../cni/index.ts';
import { iptablesChain, type ReferenceRules } from '../../shared/nftables/reference-rules.ts';

/** Where they are. The nftables backend's comment is the container's id alone. */
export function referenceRules(attachment: Attachment): ReferenceRules {
  return {
    iptables: { chain: iptablesChain(attachment, 'DN-'), entry: 'CNI-HOSTPORT-DNAT' },
    nftables: {
      tables: (['ip', 'ip6'] as const).map((family) => ({ family, name: 'cni_hostport' })),
      chains: ['hostports', 'hostip_hostports', 'masquerading'],
      isOwn: (comment) => comment === attachment.containerId,
    },
  };
}
