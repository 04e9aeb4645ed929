/** FORWARD of iptables-nft: read and written as nftables, in expressions that every iptables-nft can read. */
import { commentMatch } from '../../../kernel/iptables/match.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { createChain, getChain } from '../../../kernel/nftables/chain.ts';
import { counter } from '../../../kernel/nftables/expr/counter.ts';
import { immediateVerdict } from '../../../kernel/nftables/expr/immediate.ts';
import { match } from '../../../kernel/nftables/expr/match.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { addRule, insertRule, type ListedRule, listRules, type Rule } from '../../../kernel/nftables/rule.ts';
import { tableText } from '../../../kernel/nftables/table.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import { jumpOf, matchedComment } from '../../shared/nftables/iptables-rule.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import {
  acceptMatches,
  chainOf,
  comments,
  type ForwardState,
  filterTable,
  missingParts,
  ownChain,
  type Part,
  problemsOf,
} from './forward-state.ts';

/** Writes what is missing, in one transaction. */
export function openForward(connection: Connection, families: readonly IpFamily[], adminChain: string): void {
  withGeneration(connection, () =>
    families.flatMap((family) => missingRules(connection, family, adminChain)),
  );
}

/** What is missing, in words. */
export function forwardProblems(
  connection: Connection,
  families: readonly IpFamily[],
  adminChain: string,
): string[] {
  return families.flatMap((family) =>
    problemsOf(
      `table ${tableText(filterTable(family))} of iptables-nft`,
      adminChain,
      readState(connection, family, adminChain),
    ),
  );
}

/** Where iptables-nft has it. */
const forwardHook = {
  type: 'filter',
  hook: 'forward',
  priority: priorities.filter,
  policy: 'accept',
} as const;

function readState(connection: Connection, family: IpFamily, adminChain: string): ForwardState {
  const forward = getChain(connection, chainOf(family, 'FORWARD'));
  const rules = listRules(connection, chainOf(family, 'FORWARD')) ?? [];
  const own = listRules(connection, chainOf(family, ownChain));
  const hasAdminChain = getChain(connection, chainOf(family, adminChain)) !== undefined;
  return {
    isUsed: forward?.policy === 'drop' || rules.length > 0 || hasAdminChain,
    hasForward: forward !== undefined,
    hasOwnChain: own !== undefined,
    hasAdminChain,
    enters: rules.some((rule) => jumpOf(rule) === ownChain),
    asksAdmin: own?.some((rule) => jumpOf(rule) === adminChain) === true,
    accepts: own?.some(isAccept) === true,
  };
}

function missingRules(connection: Connection, family: IpFamily, adminChain: string): Operation[] {
  const own = chainOf(family, ownChain);
  const make: Readonly<Record<Part, () => Operation>> = {
    forward: () => createChain({ ...chainOf(family, 'FORWARD'), base: forwardHook }),
    'own chain': () => createChain(own),
    'admin chain': () => createChain(chainOf(family, adminChain)),
    accept: () => addRule(own, acceptRule()),
    admin: () => insertRule(own, jump(comments.admin, adminChain)),
    enter: () => insertRule(chainOf(family, 'FORWARD'), jump(comments.enter, ownChain)),
  };
  return missingParts(readState(connection, family, adminChain)).map((part) => make[part]());
}

function jump(comment: string, chain: string): Rule {
  return {
    expressions: [match(commentMatch(comment)), counter(), immediateVerdict({ verdict: 'jump', chain })],
  };
}

function acceptRule(): Rule {
  return {
    expressions: [...acceptMatches().map(match), counter(), immediateVerdict({ verdict: 'accept' })],
  };
}

/** Whether it is our rule: its comment says so, which nobody changes alone. */
function isAccept(rule: ListedRule): boolean {
  return matchedComment(rule) === comments.accept;
}
