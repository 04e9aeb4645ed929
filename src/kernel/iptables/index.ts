/**
 * The tables of iptables-legacy, a part of the kernel that has no netlink: read, and changed. What iptables-nft writes is
 * nftables; the matches in it are the same.
 */
export { changeLegacyTable, listLegacyChains } from './legacy.ts';
export {
  appendLegacyRule,
  createLegacyChain,
  deleteLegacyChain,
  deleteLegacyRule,
  insertLegacyRule,
  type LegacyChange,
  type NewLegacyRule,
} from './legacy-change.ts';
export { legacyTableNames } from './legacy-names.ts';
export type { LegacyChain, LegacyRule } from './legacy-table.ts';
export { commentIn, commentMatch, markMatch, type XtMatch } from './match.ts';
