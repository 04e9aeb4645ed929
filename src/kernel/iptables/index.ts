/**
 * The tables of iptables-legacy, a part of the kernel that has no netlink: read, and chains of them removed. What
 * iptables-nft writes is nftables.
 */
export { type LegacyRules, legacyTableNames, listLegacyRules, removeLegacyChains } from './legacy.ts';
export type { LegacyChain, LegacyRule } from './legacy-table.ts';
