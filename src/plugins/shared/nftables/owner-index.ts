/**
 * The way from an owner to its elements. Each section has one map `OWNER . NUMBER : ENTRY`: what an owner has there is
 * found by reading the numbers from 0 until one is missing. So DEL neither lists what all containers have, nor needs to
 * be told by the runtime what ADD was told, and nothing can leak (docs/decisions, "elements are found from their owner").
 * An entry is written and deleted in the transaction of its elements.
 */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import {
  type DataType,
  type DataTypes,
  ifName,
  mark,
  type ValuesOf,
  valuesText,
} from '../../../kernel/nftables/datatype.ts';
import { defineMap, type NftSet } from '../../../kernel/nftables/set.ts';
import type { Table } from '../../../kernel/nftables/table.ts';
import { sha256 } from '../../../plugin/hash.ts';
import { type ElementPlace, findElement, type WantedElement } from './element.ts';

/** A section's index. */
export interface OwnerIndex {
  readonly map: NftSet<readonly [DataType<string>, DataType<number>], DataTypes>;
  /** The places that an entry stands for, used or not: at most one in each set. */
  places(entry: readonly unknown[]): readonly ElementPlace[];
}

/** What an owner has under one entry. */
export interface Holding {
  readonly entry: readonly unknown[];
  /** At places of the entry. */
  readonly elements: readonly WantedElement[];
}

/** An entry as it is in the index. */
export interface IndexedEntry extends ElementPlace {
  readonly entry: readonly unknown[];
}

/** Declares an index whose entries are values of these types, 64 bytes at most (NFT_DATA_VALUE_MAXLEN). */
export function defineOwnerIndex<const D extends DataTypes>(definition: {
  readonly table: Table;
  readonly name: string;
  readonly entry: D;
  places(entry: ValuesOf<D>): readonly ElementPlace[];
}): OwnerIndex {
  const { table, name, entry, places } = definition;
  return {
    map: defineMap({ table, name, key: [ifName, mark], data: entry as DataTypes }),
    places: (values) => places(values as unknown as ValuesOf<D>),
  };
}

/** An owner in a key: 60 bits of a digest, as text, in the longest type that nft prints as text. */
function ownerKey(owner: string): string {
  return sha256(owner).toHex().slice(0, 15);
}

/** The owner's entries, in order. */
export function readEntries(connection: Connection, { map }: OwnerIndex, owner: string): IndexedEntry[] {
  const entries: IndexedEntry[] = [];
  for (;;) {
    const found = findElement(connection, { set: map, key: [ownerKey(owner), entries.length] });
    if (found === undefined) return entries;
    entries.push({ set: map, key: found.key, entry: found.data as readonly unknown[] });
  }
}

/** The index's elements for holdings that have none yet, numbered on from those that are there. */
export function wantEntries(
  { map }: OwnerIndex,
  owner: string,
  holdings: readonly Holding[],
  present: readonly IndexedEntry[],
): WantedElement[] {
  const text = (entry: readonly unknown[]) => valuesText(map.data, entry);
  const known = new Set(present.map(({ entry }) => text(entry)));
  return holdings
    .filter(({ entry }) => !known.has(text(entry)))
    .map(({ entry }, index) => ({
      set: map,
      key: [ownerKey(owner), present.length + index],
      data: entry,
      purpose: `the index entry ${text(entry)}`,
    }));
}

/** What of the index is missing, in words. */
export function missingEntries(
  connection: Connection,
  index: OwnerIndex,
  owner: string,
  holdings: readonly Holding[],
): WantedElement[] {
  return wantEntries(index, owner, holdings, readEntries(connection, index, owner));
}
