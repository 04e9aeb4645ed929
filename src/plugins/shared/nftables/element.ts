/** One element that an attachment wants to own, with its set's types known where it is made and forgotten after. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { verdictText } from '../../../kernel/nftables/data.ts';
import { type DataTypes, type ValuesOf, valuesText } from '../../../kernel/nftables/datatype.ts';
import {
  createElements,
  deleteElements,
  type Element,
  getElement,
} from '../../../kernel/nftables/element.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { type DataKind, type DataOf, type NftSet, setText, setWord } from '../../../kernel/nftables/set.ts';

/** What is in a set under an element's key. */
export interface FoundElement {
  /** Its comment: who owns it. */
  readonly owner: string | undefined;
  /** Whether it also has the data that is wanted. */
  readonly same: boolean;
  /** Its data as nft writes them; empty in a set. */
  readonly data: string;
}

/** An element of one of Fairlead's sets. */
export interface WantedElement {
  /** `map inet fairlead masquerade4 { 10.1.0.5 : jump masquerade-10.1.0.0/16 }`, for messages. */
  readonly text: string;
  /** What the element is for, for the person who operates the node: `host port 8080/tcp`. */
  readonly purpose: string;
  find(connection: Connection): FoundElement | undefined;
  create(owner: string): Operation[];
  remove(): Operation[];
}

/** Declares an element; nothing is created. `data` is undefined for a set. */
export function wantElement<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  key: ValuesOf<K>,
  data: DataOf<D>,
  purpose: string,
): WantedElement {
  const dataText = formatData(set, data);
  const entry = dataText === '' ? valuesText(set.key, key) : `${valuesText(set.key, key)} : ${dataText}`;
  return {
    text: `${setWord(set)} ${setText(set)} { ${entry} }`,
    purpose,
    find: (connection) => {
      const found = getElement(connection, set, key);
      if (found === undefined) return undefined;
      const foundData = formatData(set, found.data);
      return { owner: found.comment, same: foundData === dataText, data: foundData };
    },
    // The compiler cannot see that an element of a set has no data and one of a map has.
    create: (owner) => createElements(set, [{ key, data, comment: owner } as unknown as Element<K, D>]),
    remove: () => deleteElements(set, [{ key }]),
  };
}

function formatData(set: NftSet, data: unknown): string {
  if (set.data === undefined) return '';
  if (set.data === 'verdict') return verdictText(data as Parameters<typeof verdictText>[0]);
  return valuesText(set.data, data as readonly unknown[]);
}
