/** Elements that an attachment wants to own, with their sets' types known where they are made and forgotten after. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { verdictText } from '../../../kernel/nftables/data.ts';
import { type DataTypes, type ValuesOf, valuesText } from '../../../kernel/nftables/datatype.ts';
import {
  addElements,
  createElements,
  deleteElements,
  type Element,
  getElement,
} from '../../../kernel/nftables/element.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { type DataKind, type DataOf, type NftSet, setText, setWord } from '../../../kernel/nftables/set.ts';

/** A key in a set: where an element is, or may be. */
export interface ElementPlace {
  readonly set: NftSet;
  readonly key: readonly unknown[];
}

/** An element that is wanted. */
export interface WantedElement extends ElementPlace {
  /** Undefined for a set's. */
  readonly data: unknown;
  /** What the element is for, for the person who operates the node: `host port 8080/tcp`. */
  readonly purpose: string;
}

/** What is in a set under a key. */
export interface FoundElement extends ElementPlace {
  /** Its comment: who owns it. */
  readonly owner: string | undefined;
  readonly data: unknown;
}

/** A set whose types the compiler has lost takes any key and data. */
type LooseElement = Element<DataTypes, DataKind>;

/** Names a key of a set. */
export function placeIn<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  key: ValuesOf<K>,
): ElementPlace {
  return { set, key };
}

/** Declares an element; nothing is created. `data` is undefined for a set. */
export function wantElement<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  key: ValuesOf<K>,
  data: DataOf<D>,
  purpose: string,
): WantedElement {
  return { set, key, data, purpose };
}

/**
 * What the set has under the key; undefined if nothing, or if there is no such set or one of other types, which is
 * somebody else's. Throws NetlinkError.
 */
export function findElement(connection: Connection, { set, key }: ElementPlace): FoundElement | undefined {
  try {
    const found = getElement(connection, set, key as ValuesOf<DataTypes>);
    return found && { set, key, owner: found.comment, data: found.data };
  } catch (error) {
    if (isNetlinkError(error, 'EINVAL')) return undefined;
    throw error;
  }
}

/** Creates the elements with their owner in the comment, those of a set together. */
export function createOwned(elements: readonly WantedElement[], owner: string): Operation[] {
  return groupBySet(elements).flatMap(([set, members]) => {
    const loose = members.map(({ key, data }) => ({ key, data, comment: owner }) as unknown as LooseElement);
    return createElements(set, loose);
  });
}

/** Adds elements that nobody in particular owns; those that are there stay. */
export function addUnowned(elements: readonly WantedElement[]): Operation[] {
  return groupBySet(elements).flatMap(([set, members]) =>
    addElements(set, members.map(({ key, data }) => ({ key, data })) as unknown as LooseElement[]),
  );
}

/** Deletes what is at these places, those of a set together. Each place once, and only where something is. */
export function deleteAt(places: readonly ElementPlace[]): Operation[] {
  return groupBySet(places).flatMap(([set, members]) =>
    deleteElements(
      set,
      members.map(({ key }) => ({ key: key as ValuesOf<DataTypes> })),
    ),
  );
}

function groupBySet<P extends ElementPlace>(places: readonly P[]): [NftSet, P[]][] {
  const groups = new Map<NftSet, P[]>();
  for (const place of places) {
    const group = groups.get(place.set);
    if (group === undefined) groups.set(place.set, [place]);
    else group.push(place);
  }
  return [...groups];
}

/** `map inet fairlead masquerade4 { 10.1.0.5 : jump masquerade-10.1.0.0/16 }`, for messages. */
export function elementText({ set, key, data }: ElementPlace & { readonly data: unknown }): string {
  const value = dataText(set, data);
  const keyText = valuesText(set.key, key);
  return `${setWord(set)} ${setText(set)} { ${value === '' ? keyText : `${keyText} : ${value}`} }`;
}

/** An element's data as nft writes them; empty in a set. */
export function dataText(set: NftSet, data: unknown): string {
  if (set.data === undefined) return '';
  if (set.data === 'verdict') return verdictText(data as Parameters<typeof verdictText>[0]);
  return valuesText(set.data, data as readonly unknown[]);
}

/** The chain that an element of a verdict map leads to. */
export function chainOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('chain' in data)) return undefined;
  return typeof data.chain === 'string' ? data.chain : undefined;
}
