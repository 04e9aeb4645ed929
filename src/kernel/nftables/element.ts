/** Elements of sets and maps (enum nft_set_elem_attributes, linux/netfilter/nf_tables.h). */
import { errnoNumber } from '../../lib/errno.ts';
import { attribute, attributes, listOf } from '../netlink/attributes.ts';
import { CodecError, createWriter } from '../netlink/bytes.ts';
import type { ValueOf } from '../netlink/codec.ts';
import { be32, cstring, rawBytes } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/message.ts';
import { nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { SystemError } from '../sys/libc.ts';
import { commentText, decodeComment, encodeComment } from './comment.ts';
import { dataCodec, readVerdict, type Verdict, verdictData, verdictText } from './data.ts';
import { type DataTypes, decodeValues, encodeValues, type ValuesOf, valuesText } from './datatype.ts';
import { checkName } from './name.ts';
import { NFT_MSG, type Operation, readAll, readOne } from './operation.ts';
import { type DataKind, type DataOf, type NftSet, setText, setWord } from './set.ts';
import { familyNumbers } from './table.ts';

/** What identifies an element. */
export interface ElementKey<K extends DataTypes> {
  readonly key: ValuesOf<K>;
  /** The last key of a range, itself included; in interval sets only. */
  readonly keyEnd?: ValuesOf<K>;
}

/** An element: its key, a map's data, and a comment. */
export type Element<K extends DataTypes, D extends DataKind> = ElementKey<K> & {
  /** At most 128 bytes, see `maxCommentLength`: a longer one is for the caller to shorten. */
  readonly comment?: string;
} & (D extends undefined ? { readonly data?: undefined } : { readonly data: DataOf<D> });

/** An element whose set's types the compiler has lost: inside this file only. */
interface LooseElement {
  readonly key: readonly unknown[];
  readonly keyEnd?: readonly unknown[];
  readonly comment?: string;
  readonly data?: unknown;
}

const NFT_SET_ELEM_INTERVAL_END = 0x1;
const NFT_SET_ELEM_CATCHALL = 0x2;

const elementCodec = attributes({
  flags: attribute(3, be32),
  key: attribute(1, dataCodec),
  keyEnd: attribute(10, dataCodec),
  data: attribute(2, dataCodec),
  userdata: attribute(6, rawBytes),
});
type ElementAttributes = ValueOf<typeof elementCodec>;

const layout = nfnetlinkLayout({
  table: attribute(1, cstring),
  set: attribute(2, cstring),
  elements: attribute(3, listOf(1, elementCodec)),
});

/** An attribute's length has 16 bits; this leaves room for the list's own headers. */
const maxListBytes = 65_000;
/** More than an element's attributes ever take: two keys and data of 64 bytes, user data of 256, twice for a range. */
const maxElementBytes = 1_024;

function encodeData(set: NftSet, data: unknown): ElementAttributes {
  if (set.data === undefined) return {};
  if (set.data === 'verdict') return { data: verdictData(data as Verdict) };
  return { data: { value: encodeValues(set.data, data as readonly unknown[]) } };
}

/** The attributes of one element: a range of one-field keys is two, its start and the key after its end. */
function encodeElement(set: NftSet, element: LooseElement, withData: boolean): ElementAttributes[] {
  const start = encodeValues(set.key, element.key);
  const userdata = withData ? encodeComment(element.comment) : undefined;
  const main: ElementAttributes = {
    key: { value: start },
    ...(withData ? encodeData(set, element.data) : {}),
    ...(userdata === undefined ? {} : { userdata }),
  };
  if (set.interval !== true) {
    if (element.keyEnd !== undefined) {
      throw new RangeError(`${setText(set)}: a range ${keyText(set, element)} needs an interval set`);
    }
    return [main];
  }
  const end = encodeValues(set.key, element.keyEnd ?? element.key);
  if (Buffer.compare(end, start) < 0) {
    throw new RangeError(`${setText(set)}: the range ${keyText(set, element)} ends before it starts`);
  }
  if (set.key.length > 1) return [{ ...main, keyEnd: { value: end } }];
  const next = successor(end);
  if (next === undefined) return [main];
  return [main, { key: { value: next }, flags: NFT_SET_ELEM_INTERVAL_END }];
}

/** The key after this one; undefined after the last. Interval keys are in network order. */
function successor(key: Uint8Array): Uint8Array | undefined {
  const next = key.slice();
  for (let index = next.length - 1; index >= 0; index--) {
    const byte = (next[index] ?? 0) + 1;
    next[index] = byte & 0xff;
    if (byte <= 0xff) return next;
  }
  return undefined;
}

function predecessor(key: Uint8Array): Uint8Array {
  const previous = key.slice();
  for (let index = previous.length - 1; index >= 0; index--) {
    const byte = (previous[index] ?? 0) - 1;
    previous[index] = byte & 0xff;
    if (byte >= 0) break;
  }
  return previous;
}

function keyText(set: NftSet, { key, keyEnd }: LooseElement): string {
  if (keyEnd === undefined) return valuesText(set.key, key);
  return set.key
    .map((type, index) => {
      const [from, to] = [type.format(key[index]), type.format(keyEnd[index])];
      return from === to ? from : `${from}-${to}`;
    })
    .join(' . ');
}

function elementText(set: NftSet, element: LooseElement): string {
  const text = `${keyText(set, element)}${commentText(element.comment)}`;
  if (set.data === undefined) return text;
  const data = element.data;
  return `${text} : ${set.data === 'verdict' ? verdictText(data as Verdict) : valuesText(set.data, data as readonly unknown[])}`;
}

function body(set: NftSet, elements: readonly ElementAttributes[]): Uint8Array {
  checkName('set', set.name);
  return layout.encode(
    { family: familyNumbers[set.table.family] },
    { table: set.table.name, set: set.name, elements: [...elements] },
  );
}

function encodedSize(element: ElementAttributes): number {
  const writer = createWriter();
  elementCodec.encode(writer, element);
  return writer.position() + 4;
}

/** As few messages as the length of an attribute allows; a range's two halves stay together. */
function operations(
  set: NftSet,
  elements: readonly LooseElement[],
  message: { verb: string; type: number; flags: number; withData: boolean },
): Operation[] {
  const fewElements = elements.length * maxElementBytes <= maxListBytes;
  const groups: { encoded: ElementAttributes[]; members: LooseElement[]; size: number }[] = [];
  for (const element of elements) {
    const encoded = encodeElement(set, element, message.withData);
    const size = fewElements ? 0 : encoded.reduce((sum, part) => sum + encodedSize(part), 0);
    let group = groups.at(-1);
    if (group === undefined || group.size + size > maxListBytes) {
      group = { encoded: [], members: [], size: 0 };
      groups.push(group);
    }
    group.encoded.push(...encoded);
    group.members.push(element);
    group.size += size;
  }
  return groups.map(({ encoded, members }) => ({
    // Made when somebody reads it: a plugin's start is too short for texts that nobody sees.
    get text() {
      const texts = members.map((member) => (message.withData ? elementText : keyText)(set, member));
      return `${message.verb} element ${setText(set)} { ${texts.join(', ')} }`;
    },
    type: message.type,
    flags: message.flags,
    body: () => body(set, encoded),
  }));
}

/**
 * Adds elements; one that is there with the same data stays as it is (its comment too), with other data the
 * commit fails with EEXIST. Throws RangeError for a value that is not of the set's type or a comment too long.
 */
export function addElements<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  elements: readonly Element<K, D>[],
): Operation[] {
  const message = { verb: 'add', type: NFT_MSG.NEWSETELEM, flags: NLM_F_CREATE, withData: true };
  return operations(set, elements as readonly LooseElement[], message);
}

/** Adds elements that must not be there: the commit fails with EEXIST if one is, whatever its data. */
export function createElements<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  elements: readonly Element<K, D>[],
): Operation[] {
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  const message = { verb: 'create', type: NFT_MSG.NEWSETELEM, flags, withData: true };
  return operations(set, elements as readonly LooseElement[], message);
}

/** Deletes elements by key: the commit fails with ENOENT if one is not there. */
export function deleteElements<K extends DataTypes, D extends DataKind>(
  set: NftSet<K, D>,
  elements: readonly ElementKey<K>[],
): Operation[] {
  const message = { verb: 'delete', type: NFT_MSG.DELSETELEM, flags: 0, withData: false };
  return operations(set, elements as readonly LooseElement[], message);
}

/** Deletes every element of the set. */
export function flushSet(set: NftSet): Operation {
  return {
    text: `flush ${setWord(set)} ${setText(set)}`,
    type: NFT_MSG.DELSETELEM,
    flags: 0,
    body: () => {
      checkName('set', set.name);
      const header = { family: familyNumbers[set.table.family] };
      return layout.encode(header, { table: set.table.name, set: set.name });
    },
  };
}

function decodeElement(set: NftSet, found: ElementAttributes): LooseElement {
  if (found.key?.value === undefined) throw new CodecError(`${setText(set)}: an element without key`);
  const comment = decodeComment(found.userdata);
  return {
    key: decodeValues(set.key, found.key.value),
    ...(found.keyEnd?.value === undefined ? {} : { keyEnd: decodeValues(set.key, found.keyEnd.value) }),
    ...(comment === undefined ? {} : { comment }),
    ...decodeElementData(set, found),
  };
}

function decodeElementData(set: NftSet, found: ElementAttributes): { data?: unknown } {
  if (set.data === undefined) return {};
  if (set.data === 'verdict') {
    if (found.data?.verdict === undefined)
      throw new CodecError(`${setText(set)}: an element without verdict`);
    return { data: readVerdict(found.data.verdict) };
  }
  if (found.data?.value === undefined) throw new CodecError(`${setText(set)}: an element without data`);
  return { data: decodeValues(set.data, found.data.value) };
}

/** Joins the halves of one-field ranges again: each start with the first end (exclusive) after it. */
function joinRanges(set: NftSet, found: readonly ElementAttributes[]): ElementAttributes[] {
  const keyOf = (element: ElementAttributes) => element.key?.value ?? new Uint8Array();
  const isEnd = (element: ElementAttributes) => ((element.flags ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0;
  // Where one range ends and the next starts at the same key, the end comes first.
  const sorted = found.toSorted(
    (a, b) => Buffer.compare(keyOf(a), keyOf(b)) || Number(isEnd(b)) - Number(isEnd(a)),
  );
  const last = new Uint8Array(set.key[0].size).fill(0xff);
  return sorted.flatMap((element, index) => {
    if (isEnd(element)) return [];
    const next = sorted[index + 1];
    const end = next === undefined || !isEnd(next) ? last : predecessor(keyOf(next));
    return [{ ...element, keyEnd: { value: end } }];
  });
}

function decodeElements(set: NftSet, found: readonly ElementAttributes[]): LooseElement[] {
  // A catch-all element ("*") has no key; Fairlead writes none.
  const plain = found.filter((element) => ((element.flags ?? 0) & NFT_SET_ELEM_CATCHALL) === 0);
  const whole = set.interval === true && set.key.length === 1 ? joinRanges(set, plain) : plain;
  return whole.map((element) => decodeElement(set, element));
}

/**
 * While the kernel moves a set to a larger table of hashes, soon after many elements were added, a dump may show some
 * twice and as many others not at all, and is not marked as interrupted (nft_rhash_walk, net/netfilter/nft_set_hash.c).
 */
const listAttempts = 20;

/** All elements of a set; undefined when the set or its table does not exist. Throws NetlinkError, SystemError (ESTALE). */
export function listElements<K extends DataTypes, D extends DataKind>(
  connection: Connection,
  set: NftSet<K, D>,
): Element<K, D>[] | undefined {
  checkName('set', set.name);
  for (let attempt = 0; attempt < listAttempts; attempt += 1) {
    const found = listOnce(connection, set);
    if (found === undefined) return undefined;
    if (set.interval === true || !repeatsKeys(found))
      return decodeElements(set, found) as unknown as Element<K, D>[];
  }
  throw new SystemError(
    `list ${setWord(set)} ${setText(set)}: its hashes were moved during each of ${listAttempts} readings`,
    errnoNumber('ESTALE'),
  );
}

function listOnce(connection: Connection, set: NftSet): ElementAttributes[] | undefined {
  const { table, name } = set;
  const frames = readAll(connection, {
    operation: `list ${setWord(set)} ${setText(set)}`,
    type: NFT_MSG.GETSETELEM,
    body: layout.encode({ family: familyNumbers[table.family] }, { table: table.name, set: name }),
  });
  return frames?.flatMap((frame) => layout.decode(frame.body).attributes.elements ?? []);
}

function repeatsKeys(found: readonly ElementAttributes[]): boolean {
  return new Set(found.map(({ key }) => key?.value?.join())).size < found.length;
}

/**
 * One element by its key, at a cost that does not grow with the set; undefined when it, its set or its table
 * does not exist. Not for interval sets, where the kernel answers with the range around the key. Throws NetlinkError.
 */
export function getElement<K extends DataTypes, D extends DataKind>(
  connection: Connection,
  set: NftSet<K, D>,
  key: ValuesOf<K>,
): Element<K, D> | undefined {
  if (set.interval === true) throw new RangeError(`${setText(set)}: list an interval set instead`);
  const frame = readOne(connection, {
    operation: `get element ${setText(set)} { ${valuesText(set.key, key)} }`,
    type: NFT_MSG.GETSETELEM,
    body: body(set, [{ key: { value: encodeValues(set.key, key) } }]),
  });
  const [found] = frame === undefined ? [] : (layout.decode(frame.body).attributes.elements ?? []);
  return found && (decodeElement(set, found) as unknown as Element<K, D>);
}
