/** Matches of iptables, which both its kinds have in their rules: what iptables-nft writes has them, too. */
import { bytesFromText, textFromBytes } from '../../lib/bytes.ts';
import { CodecError, viewOf } from '../netlink/bytes.ts';

/** A match: what the kernel calls it, and its struct of linux/netfilter/xt_*.h, with or without the padding at its end. */
export interface XtMatch {
  readonly name: string;
  readonly revision: number;
  readonly info: Uint8Array;
}

/** XT_MAX_COMMENT_LEN, linux/netfilter/xt_comment.h. */
const commentLength = 256;

/** `-m comment --comment "text"`. Throws CodecError for one that is too long. */
export function commentMatch(text: string): XtMatch {
  return { name: 'comment', revision: 0, info: fixedText(text, commentLength) };
}

/** `-m mark --mark bits/bits`: struct xt_mark_mtinfo1, linux/netfilter/xt_mark.h: mark, mask, a byte for "not". */
export function markMatch(bits: number): XtMatch {
  const info = new Uint8Array(9);
  for (const at of [0, 4]) viewOf(info).setUint32(at, bits, true);
  return { name: 'mark', revision: 1, info };
}

/** The comment among the matches of a rule. */
export function commentIn(
  matches: readonly (Partial<Record<keyof XtMatch, unknown>> | undefined)[],
): string | undefined {
  const info = matches.find((match) => match?.name === 'comment')?.info;
  return info instanceof Uint8Array ? textAt(info, 0, commentLength) : undefined;
}

/** A text in a field of so many bytes, which ends with a NUL where there is room. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return textFromBytes(end < 0 ? field : field.subarray(0, end));
}

/** The field of a text and a NUL. Throws CodecError where it has no room for both. */
export function fixedText(text: string, length: number): Uint8Array {
  const bytes = bytesFromText(text);
  if (bytes.length >= length) throw new CodecError(`"${text}" has more than ${length - 1} bytes`);
  const field = new Uint8Array(length);
  field.set(bytes);
  return field;
}
