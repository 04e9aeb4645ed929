/** The nftables elements of ptp's attachments: masquerading. Loaded only where it is needed, for it brings nftables with it. */
import type { AddRequest, Attachment, GcRequest } from '../../../cni/index.ts';
import type { Prefix } from '../../../lib/ip.ts';
import {
  addMasquerade,
  checkMasquerade,
  collectMasquerade,
  removeMasquerade,
} from '../../shared/nftables/masquerade.ts';
import { ownerComment } from '../../shared/nftables/owner.ts';
import { openNftablesHere, openNftablesIfThere, withNftables } from '../../shared/nftables/socket.ts';

/** Masquerades what the container sends out of its networks; undone if ADD fails later. */
export function masqueradeContainer(request: AddRequest, addresses: readonly Prefix[]): void {
  const { attachment } = request;
  request.onFailure('masquerading', () => removeRules(attachment));
  withNftables((connection) => addMasquerade(connection, ownerComment(attachment), addresses));
}

/** Removes the attachment's elements, whatever the configuration says now, or what the reference wrote in their place. */
export async function removeRules(attachment: Attachment): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection !== undefined) await removeMasquerade(connection, attachment);
}

/** Removes the elements of this network's attachments that are not valid any more. */
export async function collectRules({ network, validAttachments }: GcRequest): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection !== undefined) await collectMasquerade(connection, network, validAttachments);
}

/** What of the masquerading is missing, in words. */
export async function checkRules(attachment: Attachment, addresses: readonly Prefix[]): Promise<string[]> {
  using connection = openNftablesHere();
  return await checkMasquerade(connection, attachment, addresses);
}
