/**
 * The reference's rules for a container: two in CNI-FORWARD for each of its addresses (iptables.go). They know nothing of
 * the container, so it is the address that tells them.
 */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { cmpKind } from '../../../kernel/nftables/expr/cmp.ts';
import { payloadKind } from '../../../kernel/nftables/expr/payload.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import { deleteRule, type ListedRule, listRules } from '../../../kernel/nftables/rule.ts';
import {
  addressToBytes,
  formatAddress,
  type IpAddress,
  type IpFamily,
  sameAddress,
} from '../../../lib/ip.ts';
import { unlessAbsent } from '../../shared/nftables/socket.ts';
import { hasLegacyFilter } from './forward.ts';
import { chainOf, ownChain } from './forward-state.ts';

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
  for (const family of families.filter(hasLegacyFilter)) await removeLegacyRules(family, ofFamily(family));
}

/** Whether there are both rules for each of the addresses. */
export async function hasReferenceRules(
  connection: Connection,
  addresses: readonly IpAddress[],
): Promise<boolean> {
  for (const address of addresses) {
    const chain = chainOf(address.family, ownChain);
    const rules = unlessAbsent(() => listRules(connection, chain) ?? [], []);
    const count = rules.filter((rule) => isAbout(rule, address)).length;
    if (count < 2 && (await countLegacyRules(address)) < 2) return false;
  }
  return addresses.length > 0;
}

async function countLegacyRules(address: IpAddress): Promise<number> {
  if (!hasLegacyFilter(address.family)) return 0;
  const { readFilter } = await import('./legacy-table.ts');
  const rules = readFilter(address.family).chains.get(ownChain) ?? [];
  const isAddress = (one: IpAddress | undefined) => one !== undefined && sameAddress(one, address);
  return rules.filter(({ source, destination, accepts }) => accepts && [source, destination].some(isAddress))
    .length;
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

async function removeLegacyRules(family: IpFamily, addresses: readonly IpAddress[]): Promise<void> {
  const [{ readFilter }, { restore }] = await Promise.all([
    import('./legacy-table.ts'),
    import('./forward-legacy.ts'),
  ]);
  const rules = readFilter(family).chains.get(ownChain) ?? [];
  const lines = rules.flatMap(({ source, destination, accepts, matches }) => {
    const is = (one: IpAddress | undefined) =>
      one !== undefined && addresses.some((each) => sameAddress(each, one));
    if (!accepts) return [];
    if (is(source) && destination === undefined && matches.length === 0)
      return [`-D ${ownChain} -s ${formatAddress(source as IpAddress)} -j ACCEPT`];
    if (is(destination) && source === undefined && matches.join() === 'conntrack')
      return [
        `-D ${ownChain} -d ${formatAddress(destination as IpAddress)} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ];
    return [];
  });
  const failure = lines.length === 0 ? '' : await restore(family, lines);
  if (failure !== '')
    throw new Error(`iptables-legacy could not delete the rules of a container: ${failure}`);
}
