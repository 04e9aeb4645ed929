/**
 * The index from an owner to its published ports. An entry is `ADDRESS . PROTOCOL . PORT`; the address is IPv6, with
 * IPv4 mapped, and that of all addresses (`::`, `::ffff:0.0.0.0`) stands for all of its family.
 */
import { inetProto, inetService, ipv6Addr, type ValuesOf } from '../../../kernel/nftables/datatype.ts';
import type { IpAddress } from '../../../lib/ip.ts';
import { type ElementPlace, type FoundElement, placeIn } from '../../shared/nftables/element.ts';
import { mapAddress, unmapAddress } from '../../shared/nftables/mapped-address.ts';
import { defineOwnerIndex } from '../../shared/nftables/owner-index.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { maps } from './maps.ts';
import type { PublishedPort } from './stale-flows.ts';

const entryTypes = [ipv6Addr, inetProto, inetService] as const;

/** The index. */
export const portIndex = defineOwnerIndex({
  table: inetTable,
  name: 'portmap-owners',
  entry: entryTypes,
  places: ([mapped, protocol, port]) => placesOf(unmapAddress(mapped), protocol, port),
});

function placesOf(hostAddress: IpAddress, protocol: number, port: number): ElementPlace[] {
  const { target, policy, hostIpTarget, hostIpPolicy } = maps[hostAddress.family];
  if (hostAddress.value === 0n) return [placeIn(target, [protocol, port]), placeIn(policy, [protocol, port])];
  const key = [hostAddress, protocol, port] as const;
  return [placeIn(hostIpTarget, key), placeIn(hostIpPolicy, key)];
}

/** The ports whose entries are among these elements. */
export function portsAmong(elements: readonly FoundElement[]): PublishedPort[] {
  return elements
    .filter(({ set }) => set === portIndex.map)
    .map(({ data }) => {
      const [mapped, protocol, port] = data as ValuesOf<typeof entryTypes>;
      return { address: unmapAddress(mapped), protocol, port };
    });
}

/** The entry for a port of an address, or of all of a family where the address is 0. */
export function entryOf({ address, protocol, port }: PublishedPort): readonly unknown[] {
  return [mapAddress(address), protocol, port];
}
