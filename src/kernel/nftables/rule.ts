/** Rules: what chains are lists of, each a list of expressions (enum nft_rule_attributes, linux/netfilter/nf_tables.h). */
import { attribute, listOf } from '../netlink/attributes.ts';
import { CodecError } from '../netlink/bytes.ts';
import { be64, cstring, rawBytes, type ValueOf } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_APPEND, NLM_F_CREATE } from '../netlink/message.ts';
import { nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { type Chain, chainText, getChain } from './chain.ts';
import { commentText, decodeComment, encodeComment } from './comment.ts';
import { type Expression, expressionCodec } from './expr/expression.ts';
import { checkName } from './name.ts';
import { NFT_MSG, type Operation, readAll } from './operation.ts';
import { familyNumbers } from './table.ts';

/** A rule: carried out from the first expression on, until one says that the packet does not match. */
export interface Rule {
  /** At most 128 bytes, see `maxCommentLength`. */
  readonly comment?: string;
  readonly expressions: readonly Expression[];
}

/** A rule as the kernel has it. */
export interface ListedRule extends Rule {
  /** The kernel's own number for it, unique in its table: what `nft --handle list` shows. */
  readonly handle: bigint;
}

const layout = nfnetlinkLayout({
  table: attribute(1, cstring),
  chain: attribute(2, cstring),
  handle: attribute(3, be64),
  expressions: attribute(4, listOf(1, expressionCodec)),
  userdata: attribute(7, rawBytes),
});

/** What a message says besides the chain that the rule is in. */
type RuleValues = Omit<Parameters<typeof layout.encode>[1], 'table' | 'chain'>;

function body(chain: Chain, values: RuleValues): Uint8Array {
  checkName('chain', chain.name);
  return layout.encode(
    { family: familyNumbers[chain.table.family] },
    { table: chain.table.name, chain: chain.name, ...values },
  );
}

/**
 * Appends the rule to the chain. ENOENT when the chain is not there; EOPNOTSUPP for an expression that the chain's
 * type does not allow. nft's language has no words for bare expressions, so `text` only says which kinds they are.
 */
export function addRule(chain: Chain, { comment, expressions }: Rule): Operation {
  const kinds = expressions.map(({ name }) => name).join(' ');
  return {
    text: `add rule ${chainText(chain)} [ ${kinds} ]${commentText(comment)}`,
    type: NFT_MSG.NEWRULE,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    body: () => {
      const userdata = encodeComment(comment);
      return body(chain, { expressions: [...expressions], ...(userdata === undefined ? {} : { userdata }) });
    },
  };
}

/** Puts the rule before all others of the chain; otherwise as `addRule`. */
export function insertRule(chain: Chain, rule: Rule): Operation {
  const { text, ...added } = addRule(chain, rule);
  return { ...added, text: text.replace('add', 'insert'), flags: NLM_F_CREATE };
}

/** Deletes one rule by its handle; ENOENT when the chain has none of it. */
export function deleteRule(chain: Chain, handle: bigint): Operation {
  return {
    text: `delete rule ${chainText(chain)} handle ${handle}`,
    type: NFT_MSG.DELRULE,
    flags: 0,
    body: () => body(chain, { handle }),
  };
}

/** Deletes all rules of the chain, which stays; ENOENT when the chain is not there. */
export function flushChain(chain: Chain): Operation {
  return {
    text: `flush chain ${chainText(chain)}`,
    type: NFT_MSG.DELRULE,
    flags: 0,
    body: () => body(chain, {}),
  };
}

/** The chain's rules in their order; undefined when the chain or its table does not exist. Throws NetlinkError. */
export function listRules(connection: Connection, chain: Chain): ListedRule[] | undefined {
  const frames =
    readAll(connection, {
      operation: `list rules of chain ${chainText(chain)}`,
      type: NFT_MSG.GETRULE,
      body: body(chain, {}),
    }) ?? [];
  // The kernel answers with no rules for a chain that is not there, too (nf_tables_dump_rules, nf_tables_api.c).
  if (frames.length === 0 && getChain(connection, chain) === undefined) return undefined;
  return frames.map((frame) => decodeRule(chain, frame.body));
}

function decodeRule(chain: Chain, message: Uint8Array): ListedRule {
  const { handle, expressions = [], userdata } = layout.decode(message).attributes;
  if (handle === undefined) throw new CodecError(`chain ${chainText(chain)}: a rule without handle`);
  const comment = decodeComment(userdata);
  return {
    handle,
    expressions: expressions.map((found) => decodeExpression(chain, found)),
    ...(comment === undefined ? {} : { comment }),
  };
}

function decodeExpression(chain: Chain, { name, data }: ValueOf<typeof expressionCodec>): Expression {
  if (name === undefined) throw new CodecError(`chain ${chainText(chain)}: an expression without name`);
  return { name, data: data ?? new Uint8Array() };
}
