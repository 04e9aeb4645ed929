/** What there should be in iptables' chain FORWARD, whichever iptables has it: pure. */
import { commentMatch, markMatch, type XtMatch } from '../../../kernel/iptables/match.ts';
import type { Chain } from '../../../kernel/nftables/chain.ts';
import type { Table } from '../../../kernel/nftables/table.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import { bitMask } from '../../shared/nftables/match.ts';
import { acceptBit } from './mark.ts';

/** The reference's own chain. */
export const ownChain = 'CNI-FORWARD';

/** Where iptables-nft has its table `filter`. */
export function filterTable(family: IpFamily): Table {
  return { family: family === 4 ? 'ip' : 'ip6', name: 'filter' };
}

/** A chain in it. */
export function chainOf(family: IpFamily, name: string): Chain {
  return { table: filterTable(family), name };
}

/** The table of iptables-legacy. */
export const legacyFilter = 'filter';

/** The comments of the rules: the first two are the reference's, which looks for its rules by the whole of them. */
export const comments = {
  enter: 'CNI firewall plugin rules',
  admin: 'CNI firewall plugin admin overrides',
  accept: 'marked by table inet fairlead',
} as const;

/** The mark of what is to be accepted. */
const acceptMark = bitMask(acceptBit);

/** What the rule that accepts it asks for. */
export function acceptMatches(): readonly XtMatch[] {
  return [markMatch(acceptMark), commentMatch(comments.accept)];
}

/** What is in iptables' table `filter` of one family. */
export interface ForwardState {
  /** Whether FORWARD may drop anything, or an administrator has rules for containers. */
  readonly isUsed: boolean;
  /** iptables-nft makes a built-in chain with its first rule. */
  readonly hasForward: boolean;
  readonly hasOwnChain: boolean;
  readonly hasAdminChain: boolean;
  /** Whether FORWARD leads to the plugin's chain. */
  readonly enters: boolean;
  /** Whether that one leads to the administrator's. */
  readonly asksAdmin: boolean;
  /** Whether it accepts what is marked. */
  readonly accepts: boolean;
}

/** What may be missing, in the order in which it is made. */
export type Part = 'forward' | 'own chain' | 'admin chain' | 'accept' | 'admin' | 'enter';

/** What is missing; nothing where FORWARD is not used. */
export function missingParts(state: ForwardState): Part[] {
  if (!state.isUsed) return [];
  const parts: readonly [Part, boolean][] = [
    ['forward', state.hasForward],
    ['own chain', state.hasOwnChain],
    ['admin chain', state.hasAdminChain],
    ['accept', state.accepts],
    ['admin', state.asksAdmin],
    ['enter', state.enters],
  ];
  return parts.flatMap(([part, isThere]) => (isThere ? [] : [part]));
}

/** What is missing of a family, in words. */
export function problemsOf(where: string, adminChain: string, state: ForwardState): string[] {
  const words: Readonly<Record<Part, string>> = {
    forward: 'has no chain FORWARD',
    'own chain': `has no chain ${ownChain}`,
    'admin chain': `has no chain ${adminChain}`,
    accept: `has no rule in ${ownChain} that accepts what has the mark 0x${acceptMark.toString(16)}`,
    admin: `has no rule in ${ownChain} that leads to ${adminChain}`,
    enter: `has no rule in FORWARD that leads to ${ownChain}`,
  };
  return missingParts(state).map((part) => `${where} ${words[part]}`);
}
