/**
 * iptables' chain FORWARD, where a node has it: a drop there, by a rule or by its policy, is not overridden by an accept
 * in Fairlead's own table. So it gets what the reference writes, CNI-FORWARD and the administrator's chain, and one rule
 * that accepts what Fairlead's table has marked: three rules for all containers.
 *
 * There are two of it, in different parts of the kernel: that of iptables-nft (nf_tables), and that of iptables-legacy.
 */
import { legacyTableNames } from '../../../kernel/iptables/legacy-names.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getChain } from '../../../kernel/nftables/chain.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import { chainOf } from './forward-state.ts';

/** Makes the chains and rules be there. Throws NetlinkError, TransactionError, SystemError. */
export async function openForward(
  connection: Connection,
  families: readonly IpFamily[],
  adminChain: string,
): Promise<void> {
  const nft = families.filter((family) => hasNftFilter(connection, family, adminChain));
  if (nft.length > 0) (await import('./forward-nft.ts')).openForward(connection, nft, adminChain);
  const legacy = families.filter(hasLegacyFilter);
  if (legacy.length === 0) return;
  const { openLegacyForward } = await import('./forward-legacy.ts');
  for (const family of legacy) await openLegacyForward(family, adminChain);
}

/** What is missing, in words. */
export async function forwardProblems(
  connection: Connection,
  families: readonly IpFamily[],
  adminChain: string,
): Promise<string[]> {
  const nft = families.filter((family) => hasNftFilter(connection, family, adminChain));
  const legacy = families.filter(hasLegacyFilter);
  const [{ forwardProblems: ofNft }, { legacyForwardProblems }] = await Promise.all([
    import('./forward-nft.ts'),
    import('./forward-legacy.ts'),
  ]);
  return [
    ...ofNft(connection, nft, adminChain),
    ...legacy.flatMap((family) => legacyForwardProblems(family, adminChain)),
  ];
}

/** Whether iptables-nft may be concerned: it has FORWARD, hooked, or at least the administrator's chain. */
function hasNftFilter(connection: Connection, family: IpFamily, adminChain: string): boolean {
  const forward = getChain(connection, chainOf(family, 'FORWARD'));
  if (forward !== undefined) return forward.isBase;
  return getChain(connection, chainOf(family, adminChain)) !== undefined;
}

/** Whether iptables-legacy has its table `filter` in this namespace: the kernel says so without making it. */
function hasLegacyFilter(family: IpFamily): boolean {
  return legacyTableNames(family).includes('filter');
}
