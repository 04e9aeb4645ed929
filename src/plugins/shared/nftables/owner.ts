/**
 * Whose an element is: `NETWORK CONTAINERID IFNAME` in its comment. None of the three may have a space (SPEC.md
 * sections 1 and 2), so owners are told apart by comparing texts.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import { sha256 } from '../../../plugin/hash.ts';

/**
 * The longest words written as they are: 47 + 64 + 15 and two spaces are the 128 bytes that a comment may have. A
 * container id of containerd or CRI-O has 64 characters. What is longer is replaced by a digest, which begins with
 * `sha256:`: neither names nor ids may have a colon.
 */
const longestNetwork = 47;
const longestContainerId = 64;
const longestIfname = 15;

/** The comment of an attachment's elements. */
export function ownerComment({ network, containerId, ifname }: Attachment): string {
  const words = [
    networkWord(network),
    shorten(containerId, longestContainerId, 40),
    // The kernel allows double quotes in an interface's name, nft does not in a comment.
    ifname.includes('"') ? digest(ifname, 8) : shorten(ifname, longestIfname, 8),
  ];
  return words.join(' ');
}

function networkWord(network: string): string {
  return shorten(network, longestNetwork, 40);
}

function shorten(word: string, longest: number, digits: number): string {
  return bytesFromText(word).length <= longest ? word : digest(word, digits);
}

function digest(word: string, digits: number): string {
  return `sha256:${sha256(word).toHex().slice(0, digits)}`;
}

/** Whose elements are meant: one attachment's, or those of many, by their comments. */
export type Whose =
  | { readonly owner: string }
  | { readonly isGone: (comment: string | undefined) => boolean };

/** Whether an element with this comment is meant. */
export function isOwnedBy(whose: Whose, comment: string | undefined): boolean {
  return 'owner' in whose ? comment === whose.owner : whose.isGone(comment);
}

/** The attachment's elements. */
export function ownedBy(attachment: Attachment): Whose {
  return { owner: ownerComment(attachment) };
}

/** The elements of the network's attachments that are not among the valid ones. */
export function goneFrom(network: string, valid: readonly ValidAttachment[]): Whose {
  const kept = new Set(valid.map((attachment) => ownerComment({ network, ...attachment })));
  const beginning = `${networkWord(network)} `;
  return { isGone: (comment) => comment?.startsWith(beginning) === true && !kept.has(comment) };
}

/** The owner in words, for messages. */
export function describeOwner(comment: string | undefined): string {
  const [network, containerId, ifname, ...rest] = comment?.split(' ') ?? [];
  if (network === undefined || containerId === undefined || ifname === undefined || rest.length > 0) {
    return comment === undefined || comment === '' ? 'somebody unknown' : `"${comment}"`;
  }
  return `container ${containerId} (network ${network}, interface ${ifname})`;
}
