/** Rules that iptables-nft has: what they are made of, as it writes it. */
import { commentIn } from '../../../kernel/iptables/match.ts';
import { immediateKind } from '../../../kernel/nftables/expr/immediate.ts';
import { matchKind } from '../../../kernel/nftables/expr/match.ts';
import type { Rule } from '../../../kernel/nftables/rule.ts';

/** The chain that a rule jumps or goes to. */
export function jumpOf({ expressions }: Rule): string | undefined {
  const verdicts = expressions.map((expression) => immediateKind.read(expression)?.data?.verdict?.chain);
  return verdicts.find((chain) => chain !== undefined);
}

/** The comment, which is a match. */
export function matchedComment({ expressions }: Rule): string | undefined {
  return commentIn(expressions.map((expression) => matchKind.read(expression)));
}
