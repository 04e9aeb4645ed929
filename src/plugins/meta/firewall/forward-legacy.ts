/** FORWARD of iptables-legacy: read and written as that program does it, a whole table in one step. */
import { changeLegacyTable, listLegacyChains } from '../../../kernel/iptables/legacy.ts';
import {
  appendLegacyRule,
  createLegacyChain,
  insertLegacyRule,
  type LegacyChange,
} from '../../../kernel/iptables/legacy-change.ts';
import type { LegacyChain } from '../../../kernel/iptables/legacy-table.ts';
import { commentMatch } from '../../../kernel/iptables/match.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import {
  acceptMatches,
  comments,
  type ForwardState,
  legacyFilter,
  missingParts,
  ownChain,
  type Part,
  problemsOf,
} from './forward-state.ts';

/** Writes what is missing. Throws SystemError. */
export function openLegacyForward(family: IpFamily, adminChain: string): Promise<void> {
  return changeLegacyTable(family, legacyFilter, (chains) =>
    missingParts(stateOf(chains, adminChain)).flatMap((part) => changesFor(part, adminChain)),
  );
}

/** What is missing, in words. */
export function legacyForwardProblems(family: IpFamily, adminChain: string): string[] {
  return problemsOf(
    `table filter of ${family === 4 ? 'iptables-legacy' : 'ip6tables-legacy'}`,
    adminChain,
    stateOf(listLegacyChains(family, legacyFilter), adminChain),
  );
}

function stateOf(chains: readonly LegacyChain[], adminChain: string): ForwardState {
  const chain = (wanted: string) => chains.find(({ name }) => name === wanted);
  const { policy, rules = [] } = chain('FORWARD') ?? {};
  const own = chain(ownChain)?.rules;
  const hasAdminChain = chain(adminChain) !== undefined;
  return {
    isUsed: policy === 'drop' || rules.length > 0 || hasAdminChain,
    hasForward: true,
    hasOwnChain: own !== undefined,
    hasAdminChain,
    enters: rules.some(({ jump }) => jump === ownChain),
    asksAdmin: own?.some(({ jump }) => jump === adminChain) === true,
    accepts: own?.some(({ comment }) => comment === comments.accept) === true,
  };
}

function changesFor(part: Part, adminChain: string): LegacyChange[] {
  const jump = (comment: string, chain: string) => ({
    matches: [commentMatch(comment)],
    target: { jump: chain },
  });
  switch (part) {
    case 'forward':
      return []; // is always there
    case 'own chain':
      return [createLegacyChain(ownChain)];
    case 'admin chain':
      return [createLegacyChain(adminChain)];
    case 'accept':
      return [appendLegacyRule(ownChain, { matches: acceptMatches(), target: 'accept' })];
    case 'admin':
      return [insertLegacyRule(ownChain, jump(comments.admin, adminChain))];
    case 'enter':
      return [insertLegacyRule('FORWARD', jump(comments.enter, ownChain))];
  }
}
