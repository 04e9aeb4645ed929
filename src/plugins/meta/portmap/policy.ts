/**
 * What happens to the packets of a published port before they are translated. Those that would come back another way
 * than they went (from the container's own network, from the node by 127.0.0.1) get a mark, and marked packets are
 * masqueraded. Ports with the same policy share a chain.
 */
import type { Expression } from '../../../kernel/nftables/expr/expression.ts';
import { formatPrefix, networkOf, type Prefix } from '../../../lib/ip.ts';
import { sha256 } from '../../../plugin/hash.ts';
import { addressIs, bitMask, markIs, masquerade, rule, setMarkBit } from '../../shared/nftables/match.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import type { ChainWithRules } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { parseConditions } from './conditions.ts';
import { markBitOf, type PortmapConfig } from './config.ts';
import { translate } from './maps.ts';

/** The chain of a policy, how it is entered, and what is in it. */
export interface Policy {
  /** `jump` comes back to be translated; `goto` does not: a chain with conditions translates by itself. */
  readonly verdict: 'jump' | 'goto';
  readonly chain: string;
  /** The bit of the mark for masquerading, where there is masquerading. */
  readonly bit: number | undefined;
  readonly target: Prefix;
  readonly masqueradeAll: boolean;
  /** The words of the conditions, and what they mean. */
  readonly words: string;
  readonly conditions: readonly Expression[];
}

/** Shared chains are called so, with the bit (or `no`) that shows whose masquerading chain they need. */
const sharedChain = /^portmap-(?:mark|if)-(\d+|no)-/;
const masqueradeChain = /^portmap-masquerade-(\d+)$/;
/** 127.0.0.0/8, RFC 1122 section 3.2.1.3. */
export const localhost: Prefix = { address: { family: 4, value: 0x7f00_0000n }, length: 8 };

/** The policy for ports that lead to this address; undefined if they are only translated. */
export function policyOf(config: PortmapConfig, target: Prefix): Policy | undefined {
  const { family } = target.address;
  const given = family === 4 ? config.conditionsV4 : config.conditionsV6;
  const parsed = parseConditions(given, family);
  const conditions = 'statements' in parsed ? parsed.statements : [];
  if (!config.snat && conditions.length === 0) return undefined;
  const bit = config.snat ? markBitOf(config) : undefined;
  const masqueradeAll = config.snat && config.masqAll;
  const words = given.join(' ');
  const source = masqueradeAll ? `all${family}` : networkText(target);
  const chain =
    conditions.length === 0
      ? `portmap-mark-${bit}-${source}`
      : `portmap-if-${bit ?? 'no'}-${sha256(`${source}\n${words}`).toHex().slice(0, 16)}`;
  const verdict = conditions.length === 0 ? 'jump' : 'goto';
  return { verdict, chain, bit, target, masqueradeAll, words, conditions };
}

/** The network in a chain's name: nft's words for names have no colon. */
function networkText(target: Prefix): string {
  return formatPrefix(networkOf(target)).replaceAll(':', '_');
}

/** The chain of a policy, and the one that masquerades what it marks. */
export function policyChains(policy: Policy): ChainWithRules[] {
  const { chain: name, bit, words } = policy;
  const comment = words === '' ? {} : { comment: commentOf(words) };
  const chain: ChainWithRules = {
    chain: { table: inetTable, name, ...comment },
    rules: () => [...markRules(policy), ...conditionalTranslation(policy)],
  };
  return bit === undefined ? [chain] : [masqueradeMarked(bit), chain];
}

/** A comment may have 128 bytes, and no double quotes. */
function commentOf(words: string): string {
  return `only if: ${words}`
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 120);
}

function markRules({ bit, target, masqueradeAll, conditions }: Policy) {
  if (bit === undefined) return [];
  const mark = setMarkBit(bit);
  if (masqueradeAll) return [rule('masquerade all', conditions, mark)];
  return [
    rule('from its own network', conditions, addressIs('saddr', '==', networkOf(target)), mark),
    ...(target.address.family === 4
      ? [rule('from 127.0.0.1', conditions, addressIs('saddr', '==', localhost), mark)]
      : []),
  ];
}

function conditionalTranslation({ target, conditions }: Policy) {
  if (conditions.length === 0) return [];
  const { family } = target.address;
  return [
    rule('to the published address', conditions, translate(family, 'hostIp')),
    rule('to the published port', conditions, translate(family, 'any')),
  ];
}

function masqueradeMarked(bit: number): ChainWithRules {
  const name = `portmap-masquerade-${bit}`;
  const value = bitMask(bit);
  return {
    chain: {
      table: inetTable,
      name,
      base: { type: 'nat', hook: 'postrouting', priority: priorities.srcnat },
    },
    rules: () => [rule('marked', markIs('==', value, value), masquerade())],
  };
}

/** Of these chains' names, the masquerading ones whose bit no other chain sets. */
export function unusedAmong(names: readonly string[]): string[] {
  const bits = new Set(names.map((name) => sharedChain.exec(name)?.[1]));
  return names.filter((name) => {
    const bit = masqueradeChain.exec(name)?.[1];
    return bit !== undefined && !bits.has(bit);
  });
}
