/** What firewall's configuration says: the reference's keys. */
import { enumeration, type Infer, object, string } from '../../../cni/index.ts';

/** XT_EXTENSION_MAXNAMELEN, linux/netfilter/x_tables.h, without the NUL. */
const longestChain = 28;

/** What cannot be the administrator's: the plugin's own chain, iptables' chains and targets. */
const taken: readonly string[] = [
  'CNI-FORWARD',
  'INPUT',
  'FORWARD',
  'OUTPUT',
  'ACCEPT',
  'DROP',
  'RETURN',
  'QUEUE',
];

/** The keys of firewall. An empty text is as if the key were not there, as in the reference. */
export const firewallSchema = object({
  backend: enumeration('iptables', 'firewalld', '').default(''),
  iptablesAdminChainName: string()
    .map((text) => text || 'CNI-ADMIN', 'the name of a chain')
    .refine((name, report) => {
      if (isChainName(name)) return;
      report(
        `must be the name of a chain: 1–${longestChain} letters, digits, "_", "." or "-", got "${name}"`,
      );
    })
    .default('CNI-ADMIN'),
  firewalldZone: string()
    .map((text) => text || 'trusted', 'the name of a zone')
    .default('trusted'),
  ingressPolicy: enumeration('open', 'same-bridge', 'isolated', '')
    .map((word) => word || 'open', 'a policy')
    .default('open'),
});

/** iptables takes more; what it takes it would have to take as one word of a line, too. */
function isChainName(name: string): boolean {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name) && name.length <= longestChain && !taken.includes(name);
}

/** The configuration, checked. */
export type FirewallConfig = Infer<typeof firewallSchema>;
