/**
 * Comments. The kernel keeps opaque user data for each object; nft puts type-length-value records there
 * (libnftnl, include/libnftnl/udata.h), and the comment of a table, chain, rule or element is type 0.
 */

/** The longest comment in bytes: NFTNL_UDATA_COMMENT_MAXLEN, libnftnl. nft refuses longer ones, and so do we. */
export const maxCommentLength = 128;

const commentType = 0;

/** A record of user data; `type` is one byte, `value` at most 255 bytes. */
export interface UserdataRecord {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Joins records as libnftnl does: a byte of type, a byte of length, the value; no padding. */
export function encodeUserdata(records: readonly UserdataRecord[]): Uint8Array {
  return Uint8Array.from(records.flatMap(({ type, value }) => [type, value.length, ...value]));
}

/** Splits user data. What another program wrote there may be anything: undefined unless all lengths fit. */
export function decodeUserdata(bytes: Uint8Array): UserdataRecord[] | undefined {
  const records: UserdataRecord[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const [type, length] = [bytes[offset], bytes[offset + 1]];
    if (type === undefined || length === undefined || offset + 2 + length > bytes.length) return undefined;
    records.push({ type, value: bytes.subarray(offset + 2, offset + 2 + length) });
    offset += 2 + length;
  }
  return records;
}

/**
 * The comment's record value: NUL-terminated text. Throws RangeError for what nft could not print back: over
 * `maxCommentLength` bytes, or with a control character or a double quote, which nft has no escape for.
 */
export function commentValue(comment: string): Uint8Array {
  const bytes = new TextEncoder().encode(comment);
  if (bytes.length > maxCommentLength) {
    throw new RangeError(
      `comment ${JSON.stringify(comment)}: ${bytes.length} bytes, at most ${maxCommentLength} are allowed`,
    );
  }
  if ([...bytes].some((byte) => byte < 0x20 || byte === 0x7f || byte === 0x22)) {
    throw new RangeError(
      `comment ${JSON.stringify(comment)}: control characters and double quotes are not allowed`,
    );
  }
  return Uint8Array.from([...bytes, 0]);
}

/** The user data that holds the comment; undefined for none. */
export function encodeComment(comment: string | undefined): Uint8Array | undefined {
  return comment === undefined
    ? undefined
    : encodeUserdata([{ type: commentType, value: commentValue(comment) }]);
}

/** The comment in an object's user data; undefined if there is none, or none that can be read. */
export function decodeComment(userdata: Uint8Array | undefined, type = commentType): string | undefined {
  const record = userdata && decodeUserdata(userdata)?.find((found) => found.type === type);
  if (record === undefined || record.value.at(-1) !== 0) return undefined;
  return new TextDecoder().decode(record.value.subarray(0, -1));
}

/** How nft writes a comment: ` comment "text"`, with its leading space; nothing for none. */
export function commentText(comment: string | undefined): string {
  return comment === undefined ? '' : ` comment "${comment}"`;
}
