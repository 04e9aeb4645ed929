/** FORWARD of iptables-nft: read and written as nftables, in expressions that every iptables-nft can read. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { createChain, getChain } from '../../../kernel/nftables/chain.ts';
import { mark } from '../../../kernel/nftables/datatype.ts';
import { counter } from '../../../kernel/nftables/expr/counter.ts';
import type { Expression } from '../../../kernel/nftables/expr/expression.ts';
import { immediateVerdict } from '../../../kernel/nftables/expr/immediate.ts';
import { match, matchKind } from '../../../kernel/nftables/expr/match.ts';
import { withGeneration } from '../../../kernel/nftables/generation.ts';
import type { Operation } from '../../../kernel/nftables/operation.ts';
import { addRule, insertRule, type ListedRule, listRules, type Rule } from '../../../kernel/nftables/rule.ts';
import { tableText } from '../../../kernel/nftables/table.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import { leadsTo } from '../../shared/nftables/match.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import {
  acceptMark,
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
    enters: rules.some((rule) => leadsTo(rule, ownChain)),
    asksAdmin: own?.some((rule) => leadsTo(rule, adminChain)) === true,
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
    expressions: [xtComment(comment), counter(), immediateVerdict({ verdict: 'jump', chain })],
  };
}

function acceptRule(): Rule {
  return {
    expressions: [xtMark(), xtComment(comments.accept), counter(), immediateVerdict({ verdict: 'accept' })],
  };
}

/** struct xt_comment_info, linux/netfilter/xt_comment.h. */
function xtComment(text: string): Expression {
  const info = new Uint8Array(256);
  info.set(bytesFromText(text));
  return match('comment', 0, info);
}

/** struct xt_mark_mtinfo1, linux/netfilter/xt_mark.h: mark, mask, a byte for "not". */
function xtMark(): Expression {
  const value = mark.encode(acceptMark);
  return match('mark', 1, Uint8Array.from([...value, ...value, 0]));
}

/** Whether it is our rule: its comment says so, which nobody changes alone. */
function isAccept({ expressions }: ListedRule): boolean {
  const comment = bytesFromText(comments.accept);
  return expressions.some((expression) => {
    const found = matchKind.read(expression);
    return found?.name === 'comment' && comment.every((byte, index) => found.info?.[index] === byte);
  });
}
