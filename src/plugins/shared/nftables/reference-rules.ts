/**
 * What the reference plugins wrote for containers: removed by DEL and GC, so that a node can be switched to Fairlead
 * while containers run. There are three of their ways: rules of iptables-nft and those of their own nftables backend,
 * which are both in nf_tables, and rules of iptables-legacy.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import { changeLegacyTable, listLegacyChains } from '../../../kernel/iptables/legacy.ts';
import { deleteLegacyChain } from '../../../kernel/iptables/legacy-change.ts';
import type { LegacyChain } from '../../../kernel/iptables/legacy-table.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { deleteChain, getChain } from '../../../kernel/nftables/chain.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { deleteRule, type ListedRule, listRules } from '../../../kernel/nftables/rule.ts';
import { type Family, getTable, type Table } from '../../../kernel/nftables/table.ts';
import { sha512 } from '../../../plugin/hash.ts';
import { jumpOf, matchedComment } from './iptables-rule.ts';
import { unlessAbsent } from './socket.ts';

/** Where a reference plugin's rules are, and whose are meant: one attachment's, or those of all that are gone. */
export interface ReferenceRules {
  /** In the tables `nat` of iptables: the chain whose rules lead to containers' own chains, and which of those are meant. */
  readonly iptables: { readonly entry: string } & MeantChains;
  /** The chains of the nftables backend, and which of their rules, by the comment. */
  readonly nftables: {
    readonly tables: readonly Table[];
    readonly chains: readonly string[];
    isMeant(comment: string): boolean;
  };
}

/** A container's chain by its name, or those to which a rule with such a comment leads. */
export type MeantChains = { readonly chain: string } | { isGone(comment: string | undefined): boolean };

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

/**
 * Whether a comment of the reference (pkg/utils/utils.go, FormatComment) names the network and a container of which no
 * attachment is valid.
 */
export function namesGone(
  network: string,
  valid: readonly ValidAttachment[],
): (comment: string | undefined) => boolean {
  const kept = new Set(valid.map(({ containerId }) => containerId));
  return (comment = '') => {
    const [, name, containerId = ''] = /(?:^|\s)name: "([^"]*)" id: "([^"]*)"$/.exec(comment) ?? [];
    return name === network && !kept.has(containerId);
  };
}

const families = ['ip', 'ip6'] as const;
const legacyFamilies = [4, 6] as const;
const nat = 'nat';

/** Removes them; none is no error, and costs a few reads. Throws NetlinkError, TransactionError, RulesetBusyError, SystemError. */
export async function removeReferenceRules(
  connection: Connection,
  { iptables, nftables }: ReferenceRules,
): Promise<void> {
  const plan = () => [
    ...families.flatMap((family) => removeIptables(connection, family, iptables)),
    ...backendRules(connection, nftables).map(({ chain, handle }) => deleteRule(chain, handle)),
  ];
  unlessAbsent(() => withGeneration(connection, plan), []);
  for (const family of legacyFamilies)
    await changeLegacyTable(family, nat, (chains) =>
      meantLegacyChains(chains, iptables).map(deleteLegacyChain),
    );
}

/** Whether there are any that are meant. */
export function hasReferenceRules(connection: Connection, { iptables, nftables }: ReferenceRules): boolean {
  const isThere = () =>
    families.some((family) => removeIptables(connection, family, iptables).length > 0) ||
    backendRules(connection, nftables).length > 0;
  if (unlessAbsent(isThere, false)) return true;
  return legacyFamilies.some(
    (family) => meantLegacyChains(listLegacyChains(family, nat), iptables).length > 0,
  );
}

function meantLegacyChains(chains: readonly LegacyChain[], meant: MeantChains): readonly string[] {
  const there = chains.map(({ name }) => name);
  const rules = chains.flatMap((chain) => chain.rules);
  return meantAmong(rules, meant).filter((name) => there.includes(name));
}

/** What of a rule tells whose chain it leads to. */
interface Leading {
  readonly jump?: string | undefined;
  readonly comment?: string | undefined;
}

/** The chains that are meant, by the rules that lead to them. */
function meantAmong(rules: readonly Leading[], meant: MeantChains): readonly string[] {
  if ('chain' in meant) return [meant.chain];
  const gone = rules.flatMap(({ jump, comment }) =>
    jump !== undefined && meant.isGone(comment) ? [jump] : [],
  );
  return [...new Set(gone)];
}

function removeIptables(
  connection: Connection,
  family: Family,
  { entry, ...meant }: ReferenceRules['iptables'],
): Operation[] {
  const table = { family, name: nat };
  const isThere = (name: string) => getChain(connection, { table, name }) !== undefined;
  // The usual DEL has none: it reads no rules.
  if ('chain' in meant && !isThere(meant.chain)) return [];
  const rules = entryRules(connection, family, entry);
  const chains = meantAmong(rules, meant).filter(isThere);
  const leading = rules.filter(({ jump }) => jump !== undefined && chains.includes(jump));
  return [
    ...leading.map(({ handle }) => deleteRule({ table, name: entry }, handle)),
    ...chains.map((name) => deleteChain({ table, name })),
  ];
}

/** A rule of the entry chain. */
type EntryRule = Omit<ListedRule, 'comment'> & Leading;

/** The rules of the chain that leads to containers', in one family. */
function entryRules(connection: Connection, family: Family, name: string): EntryRule[] {
  const rules = listRules(connection, { table: { family, name: nat }, name }) ?? [];
  return rules.map((rule) => ({
    ...rule,
    jump: jumpOf(rule),
    comment: rule.comment ?? matchedComment(rule),
  }));
}

function backendRules(connection: Connection, { tables, chains, isMeant }: ReferenceRules['nftables']) {
  return tables
    .filter((table) => getTable(connection, table) !== undefined)
    .flatMap((table) => chains.map((name) => ({ table, name })))
    .flatMap((chain) => (listRules(connection, chain) ?? []).map((rule) => ({ chain, ...rule })))
    .filter(({ comment }) => comment !== undefined && isMeant(comment));
}
