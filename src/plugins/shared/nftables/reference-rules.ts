/**
 * What the reference plugins wrote for a container: removed by DEL, so that a node can be switched to Fairlead while
 * containers run. Both of their ways are rules of nf_tables: those of iptables-nft, and their own nftables backend's.
 * What iptables-legacy wrote is in another part of the kernel and stays.
 */
import type { Attachment } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { deleteChain, getChain } from '../../../kernel/nftables/chain.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { deleteRule, type ListedRule, listRules } from '../../../kernel/nftables/rule.ts';
import { type Family, getTable, type Table } from '../../../kernel/nftables/table.ts';
import { sha512 } from '../../../plugin/hash.ts';
import { leadsTo } from './match.ts';
import { unlessAbsent } from './socket.ts';

/** Where a reference plugin's rules for one attachment are. */
export interface ReferenceRules {
  /** The container's own chain in the tables `nat` of iptables, and the chain that jumps to it. */
  readonly iptables: { readonly chain: string; readonly entry: string };
  /** The chains of the nftables backend, and which of their rules, by the comment. */
  readonly nftables: {
    readonly tables: readonly Table[];
    readonly chains: readonly string[];
    isOwn(comment: string): boolean;
  };
}

/** Names of iptables' chains have 28 characters (pkg/utils/utils.go, maxChainLength). */
const chainLength = 28;

/** The name of a container's chain in iptables: `CNI-`, the plugin's own prefix, a digest. */
export function iptablesChain({ network, containerId }: Attachment, prefix = ''): string {
  return `CNI-${prefix}${sha512(network + containerId).toHex()}`.slice(0, chainLength);
}

/** 16 digits of a digest, as the nftables backend has them in comments. */
export function referenceDigest(text: string): string {
  return sha512(text).toHex().slice(0, 16);
}

/** Removes them; none is no error, and costs a few reads. Throws NetlinkError, TransactionError, RulesetBusyError. */
export function removeReferenceRules(connection: Connection, { iptables, nftables }: ReferenceRules): void {
  const plan = () => [
    ...(['ip', 'ip6'] as const).flatMap((family) => removeIptables(connection, family, iptables)),
    ...nftables.tables
      .filter((table) => getTable(connection, table) !== undefined)
      .flatMap((table) =>
        nftables.chains.flatMap((name) =>
          removeRules(
            connection,
            table,
            name,
            ({ comment }) => comment !== undefined && nftables.isOwn(comment),
          ),
        ),
      ),
  ];
  unlessAbsent(() => withGeneration(connection, plan), []);
}

function removeIptables(
  connection: Connection,
  family: Family,
  { chain: name, entry }: ReferenceRules['iptables'],
): Operation[] {
  const table = { family, name: 'nat' };
  if (getChain(connection, { table, name }) === undefined) return [];
  return [
    ...removeRules(connection, table, entry, (rule) => leadsTo(rule, name)),
    deleteChain({ table, name }),
  ];
}

function removeRules(
  connection: Connection,
  table: Table,
  name: string,
  isOwn: (rule: ListedRule) => boolean,
): Operation[] {
  const chain = { table, name };
  return (listRules(connection, chain) ?? []).filter(isOwn).map(({ handle }) => deleteRule(chain, handle));
}
