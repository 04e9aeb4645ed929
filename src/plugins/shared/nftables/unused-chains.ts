/** Shared chains are deleted with the last element that leads to them. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { deleteChain, getChain, listChains } from '../../../kernel/nftables/chain.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { listRules } from '../../../kernel/nftables/rule.ts';
import { chainOf, deleteAt, type FoundElement, findElement } from './element.ts';
import type { Section } from './section.ts';

/**
 * Deletes, after these elements in the same transaction, the chains that only they led to, and what else of the
 * section is not needed then. `kept` are about to be led to anew.
 */
export function deleteUnusedChains(
  connection: Connection,
  section: Section,
  deleted: readonly FoundElement[],
  kept: ReadonlySet<string> = new Set(),
): Operation[] {
  const { table } = section;
  const unused = [...referencesFrom(deleted)]
    .filter(([name, count]) => !kept.has(name) && isUnusedWithout(connection, section, name, count))
    .map(([name]) => name);
  if (unused.length === 0) return [];
  const others = (listChains(connection, table) ?? [])
    .map(({ name }) => name)
    .filter((name) => !unused.includes(name));
  const companions = section.unusedAmong([...others, ...kept]).filter((name) => !kept.has(name));
  const bound = unused
    .flatMap((name) => section.placesOf?.(name) ?? [])
    .filter((place) => findElement(connection, place) !== undefined);
  return [...deleteAt(bound), ...[...unused, ...companions].map((name) => deleteChain({ table, name }))];
}

/** How often elements lead to each chain. */
function referencesFrom(elements: readonly FoundElement[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { data } of elements) {
    const chain = chainOf(data);
    if (chain !== undefined) counts.set(chain, (counts.get(chain) ?? 0) + 1);
  }
  return counts;
}

/** The kernel counts a chain's own rules and whatever leads to it. */
function isUnusedWithout(connection: Connection, { table }: Section, name: string, count: number): boolean {
  const references = getChain(connection, { table, name })?.references;
  if (references === undefined) return false;
  const rules = listRules(connection, { table, name })?.length ?? 0;
  return references === rules + count;
}
