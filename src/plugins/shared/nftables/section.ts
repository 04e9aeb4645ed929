/**
 * Sections: a section is the part of a Fairlead table that serves one purpose, e.g. masquerading. Its skeleton (sets,
 * static chains, their rules) is written once for all containers, together with an empty chain whose name says the
 * section's version. Who does not find that chain writes the skeleton anew in one transaction and keeps the sets with
 * their elements: so a newer Fairlead replaces the rules of an older one while containers run.
 */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import {
  addChain,
  type Chain,
  chainText,
  createChain,
  deleteChain,
  getChain,
  listChains,
} from '../../../kernel/nftables/chain.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { addRule, flushChain, listRules, type Rule } from '../../../kernel/nftables/rule.ts';
import { addSet, type NftSet } from '../../../kernel/nftables/set.ts';
import { addTable, type Table, tableText } from '../../../kernel/nftables/table.ts';
import { addUnowned, type ElementPlace, elementText, findElement, type WantedElement } from './element.ts';
import type { OwnerIndex } from './owner-index.ts';

/** A chain and all of its rules. A rule's comment says what it is for, and is what CHECK looks for. */
export interface ChainWithRules {
  readonly chain: Chain;
  /** Made when asked for: a call that finds the chain there needs none of them. */
  rules(): readonly Rule[];
  /** What comes and goes with a chain that is made on demand, and is nobody's own: how packets find it. */
  readonly elements?: readonly WantedElement[];
}

/** What of a table serves one purpose. */
export interface Section {
  readonly table: Table;
  /** Its name, unique in its table: `masquerade`. */
  readonly name: string;
  /** To be raised by one whenever its chains' rules change. */
  readonly version: number;
  readonly sets: readonly NftSet[];
  /** The chains that are always there, each after those it jumps to. */
  readonly chains: readonly ChainWithRules[];
  readonly index: OwnerIndex;
  /** Of a table's chains (by name), those of this section that the other ones have no use for. */
  unusedAmong(names: readonly string[]): string[];
  /** Where `elements` of the chain that has this name are; nowhere if not given. */
  placesOf?(chain: string): readonly ElementPlace[];
}

function markerPrefix(section: Section): string {
  return `${section.name}-v`;
}

function markerOf(section: Section): Chain {
  return {
    table: section.table,
    name: `${markerPrefix(section)}${section.version}`,
    comment: 'marks the version of the rules, see docs/nftables.md',
  };
}

/** Whether the section's skeleton of this version was written. */
export function hasSkeleton(connection: Connection, section: Section): boolean {
  return getChain(connection, markerOf(section)) !== undefined;
}

/** Writes the skeleton, in place of one of another version. Sets stay with their elements. */
export function writeSkeleton(connection: Connection, section: Section): Operation[] {
  const { table, sets, index, chains } = section;
  const present = new Set((listChains(connection, table) ?? []).map(({ name }) => name));
  const otherMarkers = [...present].filter((name) => isMarker(section, name));
  const rewritten = chains.filter(({ chain }) => present.has(chain.name));
  return [
    addTable(table),
    ...otherMarkers.map((name) => deleteChain({ table, name })),
    ...rewritten.map(({ chain }) => flushChain(chain)),
    ...[...sets, index.map].map((set) => addSet(set)),
    ...chains.map(({ chain }) => addChain(chain)),
    ...chains.flatMap(({ chain, rules }) => rules().map((rule) => addRule(chain, rule))),
    createChain(markerOf(section)),
  ];
}

function isMarker(section: Section, name: string): boolean {
  const prefix = markerPrefix(section);
  return name.startsWith(prefix) && /^[0-9]+$/.test(name.slice(prefix.length));
}

/** Writes a chain that is made on demand, with its elements; nothing if it is there. */
export function writeChain(connection: Connection, wanted: ChainWithRules): Operation[] {
  const { chain, rules, elements = [] } = wanted;
  if (getChain(connection, chain) !== undefined) return [];
  return [createChain(chain), ...rules().map((rule) => addRule(chain, rule)), ...addUnowned(elements)];
}

/** What differs from the skeleton and from these chains, in words; rules are told by their comments. */
export function checkRules(
  connection: Connection,
  section: Section,
  onDemand: readonly ChainWithRules[],
): string[] {
  if (!hasSkeleton(connection, section)) {
    return [
      `table ${tableText(section.table)} has no rules for ${section.name} of version ${section.version}`,
    ];
  }
  return [...section.chains, ...onDemand].flatMap((wanted) => checkChain(connection, wanted));
}

function checkChain(connection: Connection, wanted: ChainWithRules): string[] {
  const { elements = [] } = wanted;
  const missing = elements.filter((element) => findElement(connection, element) === undefined);
  return [
    ...checkRulesOf(connection, wanted),
    ...missing.map((element) => `${element.purpose}: ${elementText(element)} is missing`),
  ];
}

function checkRulesOf(connection: Connection, wanted: ChainWithRules): string[] {
  const { chain } = wanted;
  const rules = wanted.rules();
  const found = listRules(connection, chain);
  if (found === undefined) return [`chain ${chainText(chain)} is missing`];
  const comments = found.map(({ comment }) => comment ?? '');
  const missing = rules.find(({ comment }) => !comments.includes(comment ?? ''));
  if (missing !== undefined) return [`chain ${chainText(chain)} has no rule "${missing.comment}"`];
  const inOrder = rules.every(({ comment }, index) => comments[index] === comment);
  if (comments.length === rules.length && inOrder) return [];
  return [
    `chain ${chainText(chain)} has ${comments.length} rules, not the ${rules.length} that were written`,
  ];
}
