/** Tables: what everything else in nf_tables lives in (enum nft_table_attributes, linux/netfilter/nf_tables.h). */
import { attribute } from '../netlink/attributes.ts';
import { cstring, rawBytes } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE } from '../netlink/message.ts';
import { nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { commentText, decodeComment, encodeComment } from './comment.ts';
import { checkName } from './name.ts';
import { NFT_MSG, type Operation, readOne } from './operation.ts';

/** Which packets a table sees. `inet` is IPv4 and IPv6 together. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

/** The NFPROTO_ numbers of linux/netfilter.h. */
export const familyNumbers: Readonly<Record<Family, number>> = {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
};

/** A table, by what identifies it. */
export interface Table {
  readonly family: Family;
  /** 1 to 255 bytes; nft itself can only write letters, digits and `/ - _ .`, beginning with a letter. */
  readonly name: string;
  /** At most 128 bytes, see `maxCommentLength`. */
  readonly comment?: string;
}

const layout = nfnetlinkLayout({
  name: attribute(1, cstring),
  userdata: attribute(6, rawBytes),
});

/** The message of a table operation, without or with its comment. */
function body(table: Table, withComment: boolean): Uint8Array {
  checkName('table', table.name);
  const userdata = withComment ? encodeComment(table.comment) : undefined;
  return layout.encode(
    { family: familyNumbers[table.family] },
    { name: table.name, ...(userdata === undefined ? {} : { userdata }) },
  );
}

/** `inet fairlead`: how nft writes a table in its commands. */
export function tableText(table: Table): string {
  return `${table.family} ${table.name}`;
}

/** Creates the table, or leaves it as it is where it exists already. */
export function addTable(table: Table): Operation {
  const comment = table.comment === undefined ? '' : ` {${commentText(table.comment)}; }`;
  return {
    text: `add table ${tableText(table)}${comment}`,
    type: NFT_MSG.NEWTABLE,
    flags: NLM_F_CREATE,
    body: () => body(table, true),
  };
}

/** Deletes the table and all that is in it. The commit fails with ENOENT when it is not there. */
export function deleteTable(table: Table): Operation {
  return {
    text: `delete table ${tableText(table)}`,
    type: NFT_MSG.DELTABLE,
    flags: 0,
    body: () => body(table, false),
  };
}

/** Reads the table; undefined when it does not exist. Throws NetlinkError. */
export function getTable(connection: Connection, table: Table): Table | undefined {
  const frame = readOne(connection, {
    operation: `read table ${tableText(table)}`,
    type: NFT_MSG.GETTABLE,
    body: body(table, false),
  });
  if (frame === undefined) return undefined;
  const comment = decodeComment(layout.decode(frame.body).attributes.userdata);
  const { family, name } = table;
  return { family, name, ...(comment === undefined ? {} : { comment }) };
}
