/**
 * The nftables elements of bridge's attachments: masquerading and the hardware address check. Loaded only where it
 * is needed, for it brings nftables with it.
 */
import type { AddRequest, Attachment, CheckRequest, GcRequest } from '../../../cni/index.ts';
import { type Prefix, parsePrefix } from '../../../lib/ip.ts';
import { type MacAddress, parseMac } from '../../../lib/mac.ts';
import {
  addMasquerade,
  checkMasquerade,
  removeMasquerade,
  removeReferenceMasquerade,
} from '../../shared/nftables/masquerade.ts';
import { goneFrom, ownedBy, ownerComment } from '../../shared/nftables/owner.ts';
import { openNftablesIfThere, withNftables } from '../../shared/nftables/socket.ts';
import type { BridgeConfig } from './config.ts';
import { checkGuard, guardAddress, removeGuards } from './mac-spoof.ts';

/** Masquerades what the container sends out of its networks; undone if ADD fails later. */
export function masqueradeContainer(request: AddRequest<BridgeConfig>, addresses: readonly Prefix[]): void {
  const owner = ownerComment(request.attachment);
  request.onFailure('masquerading', () => removeRules(request.attachment)?.[Symbol.dispose]());
  withNftables((connection) => addMasquerade(connection, owner, addresses));
}

/** Lets the container's port send with its own hardware address only; undone if ADD fails later. */
export function guardPort(request: AddRequest<BridgeConfig>, port: string, mac: MacAddress): void {
  const owner = ownerComment(request.attachment);
  request.onFailure('the hardware address check', () => removeRules(request.attachment)?.[Symbol.dispose]());
  withNftables((connection) => guardAddress(connection, owner, port, mac));
}

/**
 * Removes the attachment's elements, whatever the configuration says now. Disposing of what comes back waits until the
 * kernel has freed them, which takes about as long as deleting a link: that is better done meanwhile.
 */
export function removeRules(attachment: Attachment): Disposable | undefined {
  const connection = openNftablesIfThere();
  if (connection === undefined) return undefined;
  try {
    const owned = ownedBy(attachment);
    // Where there is nothing of ours, the reference's plugin may have masqueraded, before the node was switched.
    if (!removeMasquerade(connection, owned)) removeReferenceMasquerade(connection, attachment);
    removeGuards(connection, owned);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Removes the elements of this network's attachments that are not valid any more. */
export function collectRules({ network, validAttachments }: GcRequest<BridgeConfig>): void {
  const gone = goneFrom(network, validAttachments);
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  removeMasquerade(connection, gone);
  removeGuards(connection, gone);
}

/** What differs from what ADD wrote, in words. */
export function checkRules(
  { attachment, config, previousResult }: CheckRequest<BridgeConfig>,
  port: string,
): string[] {
  const owner = ownerComment(attachment);
  const { interfaces = [], ips = [] } = previousResult;
  const own = interfaces.findIndex(
    ({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined,
  );
  const addresses = ips
    .filter((ip) => ip.interface === undefined || ip.interface === own)
    .flatMap(({ address }) => parsePrefix(address) ?? []);
  const mac = parseMac(interfaces[own]?.mac ?? '');
  return withNftables((connection) => [
    ...(config.ipMasq ? checkMasquerade(connection, owner, addresses) : []),
    ...(config.macspoofchk && mac !== undefined ? checkGuard(connection, owner, port, mac) : []),
  ]);
}
