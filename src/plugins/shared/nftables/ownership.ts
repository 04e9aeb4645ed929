/**
 * Attachments' elements: written, removed and checked. Every change is planned from what is there and committed only
 * if the ruleset has not moved on since (`withGeneration`). So it is exact between processes, an element is deleted
 * only while it is still its owner's, and the kernel never has to refuse and roll back a transaction, which costs
 * 10–30 ms (it waits for an RCU grace period in __nf_tables_abort).
 */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { deleteChain, listChains } from '../../../kernel/nftables/chain.ts';
import { deleteElements, listElements } from '../../../kernel/nftables/element.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import type { WantedElement } from './element.ts';
import { describeOwner } from './owner.ts';
import {
  type ChainWithRules,
  checkRules,
  hasSkeleton,
  type Section,
  writeChain,
  writeSkeleton,
} from './section.ts';

/** What an attachment has in a section. */
export interface Wanted {
  readonly elements: readonly WantedElement[];
  /** The shared chains that the elements jump to, and whatever else they need. */
  readonly chains: readonly ChainWithRules[];
}

/**
 * What becomes of a key that another owner has. An address or an interface belongs to whom it was given last, so its
 * elements are taken over; of a host port the first owner keeps it.
 */
export type WhenTaken = 'take over' | 'refuse';

/**
 * Makes the elements be there, with the skeleton and the shared chains that they need. The owner's own earlier
 * elements under the same keys are replaced. Throws a CniError (11) for a key that another owner keeps.
 */
export function putElements(
  connection: Connection,
  section: Section,
  owner: string,
  { elements, chains }: Wanted,
  whenTaken: WhenTaken,
): void {
  withGeneration(connection, () => {
    const skeleton = hasSkeleton(connection, section) ? [] : writeSkeleton(connection, section);
    return [
      ...skeleton,
      ...chains.flatMap((chain) => writeChain(connection, chain)),
      ...elements.flatMap((element) => putElement(connection, element, owner, whenTaken)),
    ];
  });
}

function putElement(
  connection: Connection,
  element: WantedElement,
  owner: string,
  whenTaken: WhenTaken,
): Operation[] {
  const found = element.find(connection);
  if (found === undefined) return element.create(owner);
  if (found.owner === owner && found.same) return [];
  if (found.owner !== owner && whenTaken === 'refuse') throw takenError(element, found.owner);
  return [...element.remove(), ...element.create(owner)];
}

function takenError(element: WantedElement, holder: string | undefined): CniError {
  return new CniError(
    'tryAgainLater',
    `${element.purpose} is taken: ${describeOwner(holder)} has it`,
    `it is free again when that container is removed; the element is in ${element.text}`,
  );
}

/**
 * Removes the section's elements whose comment `gone` names, and the shared chains that no element needs any more.
 * Nothing there is no error, and costs a few reads.
 */
export function removeElements(
  connection: Connection,
  section: Section,
  gone: (comment: string | undefined) => boolean,
): void {
  withGeneration(connection, () => {
    const removals: Operation[] = [];
    const used = new Set<string>();
    for (const set of section.sets) {
      const elements = listElements(connection, set) ?? [];
      const ours = elements.filter(({ comment }) => gone(comment));
      removals.push(...deleteElements(set, ours));
      for (const { comment, data } of elements) {
        const target = targetOf(data);
        if (target !== undefined && !gone(comment)) used.add(target);
      }
    }
    return removals.length === 0 ? [] : [...removals, ...deleteUnused(connection, section, used)];
  });
}

/** The chain that a verdict leads to. */
function targetOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('chain' in data)) return undefined;
  return typeof data.chain === 'string' ? data.chain : undefined;
}

function deleteUnused(connection: Connection, section: Section, used: ReadonlySet<string>): Operation[] {
  const names = (listChains(connection, section.table) ?? []).map(({ name }) => name);
  const unused = section.unusedChains(names, used);
  return unused.map((name) => deleteChain({ table: section.table, name }));
}

/** What is not as `putElements` left it, each difference in words; empty if all is there. */
export function checkElements(
  connection: Connection,
  section: Section,
  owner: string,
  { elements, chains }: Wanted,
): string[] {
  return [
    ...checkRules(connection, section, chains),
    ...elements.flatMap((element) => {
      const found = element.find(connection);
      if (found === undefined) return [`${element.purpose}: ${element.text} is missing`];
      if (found.owner !== owner) {
        return [`${element.purpose}: ${element.text} belongs to ${describeOwner(found.owner)}`];
      }
      return found.same ? [] : [`${element.purpose}: ${element.text} has ${found.data} instead`];
    }),
  ];
}
