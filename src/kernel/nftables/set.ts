/** Sets and maps (enum nft_set_attributes, linux/netfilter/nf_tables.h). */
import { attribute, attributes, listOf } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { be32, cstring, rawBytes, u32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE } from '../netlink/message.ts';
import { nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { commentText, commentValue, decodeComment, encodeUserdata, type UserdataRecord } from './comment.ts';
import type { Verdict } from './data.ts';
import { concatenatedId, concatenatedSize, type DataTypes, typesText, type ValuesOf } from './datatype.ts';
import { checkName } from './name.ts';
import { NFT_MSG, type Operation, readOne } from './operation.ts';
import { familyNumbers, type Table, tableText } from './table.ts';

/** What a map's elements hold: values, or a verdict. A set's hold nothing. */
export type DataKind = undefined | 'verdict' | DataTypes;

/** The value of an element's data. */
export type DataOf<D extends DataKind> = D extends 'verdict'
  ? Verdict
  : D extends DataTypes
    ? ValuesOf<D>
    : undefined;

/** A named set or map. Its types are known to the compiler, and so are its elements'. */
export interface NftSet<K extends DataTypes = DataTypes, D extends DataKind = DataKind> {
  readonly table: Table;
  readonly name: string;
  readonly key: K;
  /** Makes it a map. */
  readonly data: D;
  /** Elements may be ranges (NFT_SET_INTERVAL). */
  readonly interval?: boolean;
  /** At most 128 bytes, see `maxCommentLength`. */
  readonly comment?: string;
}

/** Declares a set; nothing is created. */
export function defineSet<const K extends DataTypes>(
  set: Omit<NftSet<K, undefined>, 'data'>,
): NftSet<K, undefined> {
  return { ...set, data: undefined };
}

/** Declares a map; nothing is created. */
export function defineMap<const K extends DataTypes, const D extends 'verdict' | DataTypes>(
  map: NftSet<K, D>,
): NftSet<K, D> {
  return map;
}

const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_CONCAT = 0x80;
const NFT_DATA_VERDICT = 0xffff_ff00;

const layout = nfnetlinkLayout({
  table: attribute(1, cstring),
  name: attribute(2, cstring),
  flags: attribute(3, be32),
  keyType: attribute(4, be32),
  keyLength: attribute(5, be32),
  dataType: attribute(6, be32),
  dataLength: attribute(7, be32),
  // NFTA_SET_DESC: NFTA_SET_DESC_CONCAT is a list of fields, each with its length.
  description: attribute(
    9,
    attributes({ concat: attribute(2, listOf(1, attributes({ length: attribute(1, be32) }))) }),
  ),
  id: attribute(10, be32),
  userdata: attribute(13, rawBytes),
});

/** enum nftnl_udata_set_types, libnftnl include/libnftnl/udata.h. */
const udata = { keyByteOrder: 0, dataByteOrder: 1, dataInterval: 6, comment: 7 } as const;

function u32Record(type: number, value: number): UserdataRecord {
  const writer = createWriter();
  u32.encode(writer, value);
  return { type, value: writer.finish() };
}

/** enum byteorder, nftables include/datatype.h: 0 for a concatenation, which has none. */
function byteOrderNumber(types: DataTypes): number {
  if (types.length > 1) return 0;
  return types[0].byteOrder === 'host' ? 1 : 2;
}

/** What nft itself notes on a set that it creates, so that it lists ours as its own. */
function userdata({ key, data, comment }: NftSet): Uint8Array {
  const records = [u32Record(udata.keyByteOrder, byteOrderNumber(key))];
  if (data !== undefined) {
    records.push(u32Record(udata.dataByteOrder, data === 'verdict' ? 0 : byteOrderNumber(data)));
    records.push(u32Record(udata.dataInterval, 0));
  }
  if (comment !== undefined) records.push({ type: udata.comment, value: commentValue(comment) });
  return encodeUserdata(records);
}

function isConcatenatedInterval(set: NftSet): boolean {
  return set.interval === true && set.key.length > 1;
}

function encodeSet(set: NftSet, id: number): Uint8Array {
  checkName('set', set.name);
  const { table, name, key, data } = set;
  const ofData =
    data === undefined
      ? {}
      : data === 'verdict'
        ? { dataType: NFT_DATA_VERDICT, dataLength: 0 }
        : { dataType: concatenatedId(data), dataLength: concatenatedSize(data) };
  const description = isConcatenatedInterval(set)
    ? { description: { concat: key.map((type) => ({ length: type.size })) } }
    : {};
  const flags =
    (set.interval === true ? NFT_SET_INTERVAL : 0) |
    (data === undefined ? 0 : NFT_SET_MAP) |
    (isConcatenatedInterval(set) ? NFT_SET_CONCAT : 0);
  return layout.encode(
    { family: familyNumbers[table.family] },
    {
      table: table.name,
      name,
      flags,
      keyType: concatenatedId(key),
      keyLength: concatenatedSize(key),
      ...ofData,
      ...description,
      id,
      userdata: userdata(set),
    },
  );
}

/** The message that names a set and says nothing else of it. */
function identify(set: NftSet): Uint8Array {
  checkName('set', set.name);
  return layout.encode(
    { family: familyNumbers[set.table.family] },
    { table: set.table.name, name: set.name },
  );
}

/** `set` or `map`: nft's word for it. */
export function setWord(set: NftSet): 'set' | 'map' {
  return set.data === undefined ? 'set' : 'map';
}

/** `inet fairlead masquerade`: how nft writes a set in its commands. */
export function setText(set: NftSet): string {
  return `${tableText(set.table)} ${set.name}`;
}

function definitionText({ key, data, interval, comment }: NftSet): string {
  const target = data === undefined ? '' : ` : ${data === 'verdict' ? 'verdict' : typesText(data)}`;
  const flags = interval === true ? ' flags interval;' : '';
  const note = comment === undefined ? '' : `${commentText(comment)};`;
  return `{ type ${typesText(key)}${target};${flags}${note} }`;
}

/** Creates the set, or leaves it as it is where it exists already. EEXIST if it exists with other types. */
export function addSet(set: NftSet): Operation {
  return {
    text: `add ${setWord(set)} ${setText(set)} ${definitionText(set)}`,
    type: NFT_MSG.NEWSET,
    flags: NLM_F_CREATE,
    body: (id) => encodeSet(set, id),
  };
}

/** Deletes the set with its elements: EBUSY while a rule uses it, ENOENT when it is not there. */
export function deleteSet(set: NftSet): Operation {
  return {
    text: `delete ${setWord(set)} ${setText(set)}`,
    type: NFT_MSG.DELSET,
    flags: 0,
    body: () => identify(set),
  };
}

/** A set as the kernel has it. */
export interface SetInfo {
  readonly name: string;
  readonly flags: number;
  readonly keyType: number;
  readonly keyLength: number;
  readonly comment?: string;
}

/** Reads the set; undefined when it or its table does not exist. Throws NetlinkError. */
export function getSet(connection: Connection, set: NftSet): SetInfo | undefined {
  const frame = readOne(connection, {
    operation: `read ${setWord(set)} ${setText(set)}`,
    type: NFT_MSG.GETSET,
    body: identify(set),
  });
  if (frame === undefined) return undefined;
  const { name, flags, keyType, keyLength, userdata: noted } = layout.decode(frame.body).attributes;
  const comment = decodeComment(noted, udata.comment);
  return {
    name: name ?? set.name,
    flags: flags ?? 0,
    keyType: keyType ?? 0,
    keyLength: keyLength ?? 0,
    ...(comment === undefined ? {} : { comment }),
  };
}
