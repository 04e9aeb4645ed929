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
  collectMasquerade,
  removeMasquerade,
} from '../../shared/nftables/masquerade.ts';
import { goneFrom, ownedBy, ownerComment } from '../../shared/nftables/owner.ts';
import { openNftablesHere, openNftablesIfThere, withNftables } from '../../shared/nftables/socket.ts';
import type { BridgeConfig } from './config.ts';
import { checkGuard, guardAddress, removeGuards } from './mac-spoof.ts';

/** Masquerades what the container sends out of its networks; undone if ADD fails later. */
export function masqueradeContainer(request: AddRequest<BridgeConfig>, addresses: readonly Prefix[]): void {
  const owner = ownerComment(request.attachment);
  request.onFailure('masquerading', () => removeRules(request.attachment));
  withNftables((connection) => addMasquerade(connection, owner, addresses));
}

/** Lets the container's port send with its own hardware address only; undone if ADD fails later. */
export function guardPort(request: AddRequest<BridgeConfig>, port: string, mac: MacAddress): void {
  const owner = ownerComment(request.attachment);
  request.onFailure('the hardware address check', () => removeRules(request.attachment));
  withNftables((connection) => guardAddress(connection, owner, port, mac));
}

/** Removes the attachment's elements, whatever the configuration says now. */
export async function removeRules(attachment: Attachment): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  await removeMasquerade(connection, attachment);
  removeGuards(connection, ownedBy(attachment));
}

/** Removes the elements of this network's attachments that are not valid any more. */
export async function collectRules({ network, validAttachments }: GcRequest<BridgeConfig>): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  await collectMasquerade(connection, network, validAttachments);
  removeGuards(connection, goneFrom(network, validAttachments));
}

/** What differs from what ADD wrote, in words. */
export async function checkRules(
  { attachment, config, previousResult }: CheckRequest<BridgeConfig>,
  port: string,
): Promise<string[]> {
  const { interfaces = [], ips = [] } = previousResult;
  const own = interfaces.findIndex(
    ({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined,
  );
  const addresses = ips
    .filter((ip) => ip.interface === undefined || ip.interface === own)
    .flatMap(({ address }) => parsePrefix(address) ?? []);
  const mac = parseMac(interfaces[own]?.mac ?? '');
  using connection = openNftablesHere();
  return [
    ...(config.ipMasq ? await checkMasquerade(connection, attachment, addresses) : []),
    ...(config.macspoofchk && mac !== undefined
      ? checkGuard(connection, ownerComment(attachment), port, mac)
      : []),
  ];
}
