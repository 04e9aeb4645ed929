/**
 * Attachments' elements: written and checked. Every change is planned from what is there and committed only if the
 * ruleset has not moved on since (`withGeneration`). So it is exact between processes, an element is deleted only
 * while it is still its owner's, and the kernel never has to refuse and roll back a transaction, which is
 * dear (it waits for an RCU grace period in __nf_tables_abort).
 */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { tableText } from '../../../kernel/nftables/table.ts';
import {
  createOwned,
  dataText,
  deleteAt,
  type ElementPlace,
  elementText,
  type FoundElement,
  findElement,
  type WantedElement,
} from './element.ts';
import { describeOwner } from './owner.ts';
import { type Holding, missingEntries, readEntries, wantEntries } from './owner-index.ts';
import {
  type ChainWithRules,
  checkRules,
  hasSkeleton,
  type Section,
  writeChain,
  writeSkeleton,
} from './section.ts';
import { deleteUnusedChains } from './unused-chains.ts';

/** What an attachment has in a section. */
export interface Wanted {
  readonly holdings: readonly Holding[];
  /** The shared chains that the elements jump to, and whatever else they need. */
  readonly chains: readonly ChainWithRules[];
}

/**
 * Makes the elements be there, with the skeleton and the shared chains that they need. A key belongs to whom it was
 * given last: what another owner, or the same one earlier, has under it is replaced. Throws a CniError where
 * somebody else's objects are in the way.
 */
export function putElements(connection: Connection, section: Section, owner: string, wanted: Wanted): void {
  let writesSkeleton = false;
  try {
    withGeneration(connection, () => {
      writesSkeleton = !hasSkeleton(connection, section);
      return [
        ...(writesSkeleton ? writeSkeleton(connection, section) : []),
        ...wanted.chains.flatMap((chain) => writeChain(connection, chain)),
        ...writeElements(connection, section, owner, wanted),
      ];
    });
  } catch (error) {
    if (writesSkeleton && isNetlinkError(error, ...inTheWay)) throw foreignTable(section, error);
    throw error;
  }
}

function writeElements(
  connection: Connection,
  section: Section,
  owner: string,
  { holdings, chains }: Wanted,
): Operation[] {
  const replaced: FoundElement[] = [];
  const created: WantedElement[] = [];
  for (const { entry, elements } of holdings) {
    for (const place of section.index.places(entry)) {
      const want = elements.find(({ set }) => set === place.set);
      const found = findElement(connection, place);
      if (isAsWanted(found, want, owner)) continue;
      if (found !== undefined) replaced.push(found);
      if (want !== undefined) created.push(want);
    }
  }
  const entries = wantEntries(section.index, owner, holdings, readEntries(connection, section.index, owner));
  const kept = new Set(chains.map(({ chain }) => chain.name));
  return [
    ...deleteAt(replaced),
    ...createOwned([...created, ...entries], owner),
    ...deleteUnusedChains(connection, section, replaced, kept),
  ];
}

function isAsWanted(
  found: FoundElement | undefined,
  want: WantedElement | undefined,
  owner: string,
): boolean {
  if (found === undefined || want === undefined) return found === undefined && want === undefined;
  return found.owner === owner && dataText(found.set, found.data) === dataText(want.set, want.data);
}

/** What the kernel says to a set, chain or element where one of another kind has the name. */
const inTheWay = ['EEXIST', 'EINVAL', 'EOPNOTSUPP', 'EBUSY'] as const;

/** The kernel refuses to write the skeleton only where objects of these names are of another kind. */
function foreignTable({ table }: Section, error: Error): CniError {
  return new CniError(
    'internal',
    `nftables: what is in table ${tableText(table)} is not Fairlead's and in its way; the table's name belongs to Fairlead: rename or delete it`,
    error.message,
  );
}

/** What is not as `putElements` left it, each difference in words; empty if all is there. */
export function checkElements(
  connection: Connection,
  section: Section,
  owner: string,
  { holdings, chains }: Wanted,
): string[] {
  const rules = checkRules(connection, section, chains);
  const missing = missingEntries(connection, section.index, owner, holdings);
  return [
    ...rules,
    ...holdings.flatMap(({ elements }) =>
      elements.flatMap((element) => checkElement(element, findElement(connection, element), owner)),
    ),
    ...missing.map((entry) => `${entry.purpose}: ${elementText(entry)} is missing`),
  ];
}

function checkElement(
  want: WantedElement,
  found: (ElementPlace & FoundElement) | undefined,
  owner: string,
): string[] {
  const text = `${want.purpose}: ${elementText(want)}`;
  if (found === undefined) return [`${text} is missing`];
  if (found.owner !== owner) return [`${text} belongs to ${describeOwner(found.owner)}`];
  return isAsWanted(found, want, owner) ? [] : [`${text} has ${dataText(found.set, found.data)} instead`];
}
