/**
 * Masquerading: what a container sends out of its own network leaves with the node's address. A container is an
 * element `address : jump masquerade-NETWORK`; the chain is shared by all containers of that network.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import type { Chain } from '../../../kernel/nftables/chain.ts';
import { ipv4Addr, ipv6Addr } from '../../../kernel/nftables/datatype.ts';
import { defineMap } from '../../../kernel/nftables/set.ts';
import {
  formatAddress,
  formatPrefix,
  type IpFamily,
  networkOf,
  type Prefix,
  parsePrefix,
} from '../../../lib/ip.ts';
import { placeIn, type WantedElement, wantElement } from './element.ts';
import { mapAddress, unmapAddress } from './mapped-address.ts';
import { addressIs, addressVerdict, masquerade, rule, verdict } from './match.ts';
import { goneFrom, ownedBy, ownerComment } from './owner.ts';
import { defineOwnerIndex } from './owner-index.ts';
import { checkElements, putElements, type Wanted } from './ownership.ts';
import { priorities } from './priorities.ts';
import { removeElements } from './removal.ts';
import type { ChainWithRules, Section } from './section.ts';
import { inetTable } from './tables.ts';

const maps = {
  4: defineMap({ table: inetTable, name: 'masquerade4', key: [ipv4Addr], data: 'verdict' }),
  6: defineMap({ table: inetTable, name: 'masquerade6', key: [ipv6Addr], data: 'verdict' }),
} as const;

/** Multicast stays in its scope: RFC 5771, RFC 4291 section 2.7. */
const multicast = { 4: prefixOf('224.0.0.0/4'), 6: prefixOf('ff00::/8') } as const;

const postrouting: Chain = {
  table: inetTable,
  name: 'masquerade-postrouting', // `masquerade` alone is a word of nft's
  base: { type: 'nat', hook: 'postrouting', priority: priorities.srcnat },
};

const chainPrefix = 'masquerade-';

/** The section of masqueraded containers. */
export const section: Section = {
  table: inetTable,
  name: 'masquerade',
  version: 1,
  sets: [maps[4], maps[6]],
  chains: [
    {
      chain: postrouting,
      rules: () => [
        rule('IPv4 containers', addressVerdict(4, 'saddr', maps[4].name)),
        rule('IPv6 containers', addressVerdict(6, 'saddr', maps[6].name)),
      ],
    },
  ],
  index: defineOwnerIndex({
    table: inetTable,
    name: 'masquerade-owners',
    entry: [ipv6Addr],
    places: ([mapped]) => {
      const address = unmapAddress(mapped);
      return [placeIn(maps[address.family], [address])];
    },
  }),
  unusedAmong: () => [],
};

/** Masquerades what these addresses (each with its network's length) send out of their networks. */
export function addMasquerade(connection: Connection, owner: string, addresses: readonly Prefix[]): void {
  putElements(connection, section, owner, wantedFor(addresses));
}

/** Removes the attachment's elements; where it has none, what the reference plugins may have written in their place. */
export async function removeMasquerade(connection: Connection, attachment: Attachment): Promise<void> {
  if (removeElements(connection, section, ownedBy(attachment)).length > 0) return;
  const { removeReferenceMasquerade } = await import('./reference-masquerade.ts');
  await removeReferenceMasquerade(connection, attachment);
}

/** Removes what the network's attachments have that are not among the valid ones, and what the reference plugins wrote for such. */
export async function collectMasquerade(
  connection: Connection,
  network: string,
  valid: readonly ValidAttachment[],
): Promise<void> {
  removeElements(connection, section, goneFrom(network, valid));
  const { collectReferenceMasquerade } = await import('./reference-masquerade.ts');
  await collectReferenceMasquerade(connection, network, valid);
}

/** What of `addMasquerade`'s work is missing, in words; nothing where the reference plugins masquerade instead. */
export async function checkMasquerade(
  connection: Connection,
  attachment: Attachment,
  addresses: readonly Prefix[],
): Promise<string[]> {
  const missing = checkElements(connection, section, ownerComment(attachment), wantedFor(addresses));
  if (missing.length === 0) return [];
  const { hasReferenceMasquerade } = await import('./reference-masquerade.ts');
  return hasReferenceMasquerade(connection, attachment) ? [] : missing;
}

/** What is there for containers with these addresses. */
export function wantedFor(addresses: readonly Prefix[]): Wanted {
  const networks = new Map(addresses.map((address) => [chainName(address), networkOf(address)]));
  return {
    holdings: addresses.map((prefix) => ({
      entry: [mapAddress(prefix.address)],
      elements: [elementFor(prefix)],
    })),
    chains: [...networks].map(([name, network]) => chainFor(name, network)),
  };
}

function elementFor(prefix: Prefix): WantedElement {
  const { address } = prefix;
  const data = { verdict: 'jump', chain: chainName(prefix) } as const;
  const purpose = `masquerading of ${formatAddress(address)}`;
  return wantElement(maps[address.family], [address], data, purpose);
}

/** nft's words for names have no colon, so an IPv6 network's are written as underscores: `masquerade-fd00__/64`. */
function chainName(prefix: Prefix): string {
  return chainPrefix + formatPrefix(networkOf(prefix)).replaceAll(':', '_');
}

function chainFor(name: string, network: Prefix): ChainWithRules {
  const family: IpFamily = network.address.family;
  return {
    chain: { table: inetTable, name },
    rules: () => [
      rule('stays in the network', addressIs('daddr', '==', network), verdict({ verdict: 'return' })),
      rule('multicast', addressIs('daddr', '==', multicast[family]), verdict({ verdict: 'return' })),
      rule('leaves the network', masquerade()),
    ],
  };
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no network`);
  return prefix;
}
