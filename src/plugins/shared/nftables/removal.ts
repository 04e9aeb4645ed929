/** Attachments' elements removed: one attachment's by the index, those of many that are gone by looking at all. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { listElements } from '../../../kernel/nftables/element.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import { deleteAt, type FoundElement, findElement } from './element.ts';
import { isOwnedBy, type Whose } from './owner.ts';
import { readEntries } from './owner-index.ts';
import type { Section } from './section.ts';
import { unlessAbsent } from './socket.ts';
import { deleteUnusedChains } from './unused-chains.ts';

/**
 * Removes the section's elements that are `whose`, with their entries in the index, and the shared chains that
 * nothing leads to any more. Nothing there is no error, and costs two reads. One attachment's cost does not grow with
 * what others have. Returns what was removed. Throws NetlinkError, TransactionError, RulesetBusyError.
 */
export function removeElements(
  connection: Connection,
  section: Section,
  whose: Whose,
): readonly FoundElement[] {
  let found: readonly FoundElement[] = [];
  const plan = () => {
    found =
      'owner' in whose
        ? elementsOf(connection, section, whose.owner)
        : allElements(connection, section).filter((one) => isOwnedBy(whose, one.owner));
    return [...deleteAt(found), ...deleteUnusedChains(connection, section, found)];
  };
  unlessAbsent(() => withGeneration(connection, plan), []);
  return found;
}

/** What the owner has, and its entries in the index. What somebody else was given meanwhile is not its own any more. */
function elementsOf(connection: Connection, { index }: Section, owner: string): FoundElement[] {
  return readEntries(connection, index, owner).flatMap(({ set, key, entry }) => [
    { set, key, owner, data: entry },
    ...index
      .places(entry)
      .flatMap((place) => findElement(connection, place) ?? [])
      .filter((found) => found.owner === owner),
  ]);
}

function allElements(connection: Connection, { sets, index }: Section): FoundElement[] {
  return [index.map, ...sets].flatMap((set) =>
    (listElements(connection, set) ?? []).map(({ key, data, comment }) => ({
      set,
      key,
      data,
      owner: comment,
    })),
  );
}
