/**
 * The reference's rules for a container: two in CNI-FORWARD for each of its addresses (iptables.go). They know nothing of
 * the container, so it is the address that tells them.
 */
import { changeLegacyTable, listLegacyChains } from '../../../kernel/iptables/legacy.ts';
import { deleteLegacyRule } from '../../../kernel/iptables/legacy-change.ts';
import type { LegacyChain, LegacyRule } from '../../../kernel/iptables/legacy-table.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { cmpKind } from '../../../kernel/nftables/expr/cmp.ts';
import { payloadKind } from '../../../kernel/nftables/expr/payload.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import { deleteRule, type ListedRule, listRules } from '../../../kernel/nftables/rule.ts';
import { addressToBytes, type IpAddress, type IpFamily, sameAddress } from '../../../lib/ip.ts';
import { unlessAbsent } from '../../shared/nftables/socket.ts';
import { chainOf, legacyFilter, ownChain } from './forward-state.ts';

/** The network header (enum nft_payload_bases). */
const networkHeader = 1;
/** The offsets of source and destination in the headers of IPv4 (RFC 791) and IPv6 (RFC 8200). */
const addressOffsets = { 4: [12, 16], 6: [8, 24] } as const;

/** Removes them; none is no error. */
export async function removeReferenceRules(
  connection: Connection,
  addresses: readonly IpAddress[],
): Promise<void> {
  const families = ([4, 6] as const).filter((one) => addresses.some(({ family }) => family === one));
  const ofFamily = (one: IpFamily) => addresses.filter(({ family }) => family === one);
  unlessAbsent(
    () =>
      withGeneration(connection, () =>
        families.flatMap((family) => {
          const chain = chainOf(family, ownChain);
          return (listRules(connection, chain) ?? [])
            .filter((rule) => ofFamily(family).some((address) => isAbout(rule, address)))
            .map(({ handle }) => deleteRule(chain, handle));
        }),
      ),
    [],
  );
  for (const family of families)
    await changeLegacyTable(family, legacyFilter, (chains) =>
      ofFamily(family)
        .flatMap((address) => legacyRulesOf(chains, address))
        .map(({ number }) => deleteLegacyRule(ownChain, number)),
    );
}

/** Whether there are both rules for each of the addresses. */
export function hasReferenceRules(connection: Connection, addresses: readonly IpAddress[]): boolean {
  const count = (address: IpAddress) => {
    const chain = chainOf(address.family, ownChain);
    const rules = unlessAbsent(() => listRules(connection, chain) ?? [], []);
    return rules.filter((rule) => isAbout(rule, address)).length;
  };
  const countLegacy = (address: IpAddress) =>
    legacyRulesOf(listLegacyChains(address.family, legacyFilter), address).length;
  return (
    addresses.length > 0 && addresses.every((address) => count(address) >= 2 || countLegacy(address) >= 2)
  );
}

/** iptables-legacy's, exactly as the reference writes them: from the address, and to it what are answers. */
function legacyRulesOf(chains: readonly LegacyChain[], address: IpAddress): LegacyRule[] {
  const is = (one: IpAddress | undefined) => one !== undefined && sameAddress(one, address);
  const rules = chains.find(({ name }) => name === ownChain)?.rules ?? [];
  return rules.filter(
    ({ accepts, asksMore, source, destination, matches }) =>
      accepts &&
      !asksMore &&
      ((is(source) && destination === undefined && matches.length === 0) ||
        (is(destination) && source === undefined && matches.join() === 'conntrack')),
  );
}

/** Whether the rule looks at a packet's source or destination, and compares it with the address. */
function isAbout({ expressions }: ListedRule, address: IpAddress): boolean {
  const bytes = addressToBytes(address);
  const offsets: readonly number[] = addressOffsets[address.family];
  return expressions.some((expression, index) => {
    const loaded = payloadKind.read(expression);
    const next = expressions[index + 1];
    const compared = next && cmpKind.read(next)?.data?.value;
    const isAddress =
      loaded?.base === networkHeader &&
      loaded.length === bytes.length &&
      offsets.includes(loaded.offset ?? -1);
    return isAddress && compared?.length === bytes.length && compared.every((byte, at) => byte === bytes[at]);
  });
}
