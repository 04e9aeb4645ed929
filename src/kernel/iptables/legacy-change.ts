/** What is changed of a table of iptables-legacy: pure. */
import type { IpFamily } from '../../lib/ip.ts';
import { CodecError } from '../netlink/bytes.ts';
import { makeEntry, verdicts } from './legacy-entry.ts';
import type { Chain, Row } from './legacy-table.ts';
import type { XtMatch } from './match.ts';

/** A rule to be written. */
export interface NewLegacyRule {
  /** In the order in which iptables-legacy shows them. */
  readonly matches: readonly XtMatch[];
  /** What becomes of a packet that they are true of. */
  readonly target: 'accept' | { readonly jump: string };
}

/** One change. The number of a rule is the one that it had before all changes. */
export type LegacyChange =
  | { readonly kind: 'create chain' | 'delete chain'; readonly chain: string }
  | { readonly kind: 'insert rule' | 'append rule'; readonly chain: string; readonly rule: NewLegacyRule }
  | { readonly kind: 'delete rule'; readonly chain: string; readonly number: number };

/** Makes a chain, which may not be there, in the order of the names, as iptables-legacy has them. */
export function createLegacyChain(chain: string): LegacyChange {
  return { kind: 'create chain', chain };
}

/** Deletes a chain with its rules, and the rules that lead to it; none is no error. */
export function deleteLegacyChain(chain: string): LegacyChange {
  return { kind: 'delete chain', chain };
}

/** Adds a rule before the others of a chain. */
export function insertLegacyRule(chain: string, rule: NewLegacyRule): LegacyChange {
  return { kind: 'insert rule', chain, rule };
}

/** Adds a rule behind the others of a chain. */
export function appendLegacyRule(chain: string, rule: NewLegacyRule): LegacyChange {
  return { kind: 'append rule', chain, rule };
}

/** Deletes a rule by its number. */
export function deleteLegacyRule(chain: string, number: number): LegacyChange {
  return { kind: 'delete rule', chain, number };
}

/** The chains after these changes, one after the other. Throws CodecError for a chain that should not, or should, be there. */
export function changed(
  family: IpFamily,
  before: readonly Chain[],
  changes: readonly LegacyChange[],
): readonly Chain[] {
  let chains = before;
  for (const change of changes) {
    switch (change.kind) {
      case 'create chain':
        chains = withChain(family, chains, change.chain);
        break;
      case 'delete chain':
        chains = withoutChain(chains, change.chain);
        break;
      case 'insert rule':
        chains = withRules(chains, change.chain, (rules) => [newRow(family, change.rule), ...rules]);
        break;
      case 'append rule':
        chains = withRules(chains, change.chain, (rules) => [...rules, newRow(family, change.rule)]);
        break;
      case 'delete rule': {
        const rule = before.find(({ name }) => name === change.chain)?.rules[change.number - 1];
        chains = withRules(chains, change.chain, (rules) => rules.filter((one) => one !== rule));
      }
    }
  }
  return chains;
}

function withChain(family: IpFamily, chains: readonly Chain[], name: string): readonly Chain[] {
  if (chains.some((chain) => chain.name === name)) throw new CodecError(`there is a chain ${name} already`);
  const end: Row = { entry: makeEntry(family, { matches: [], verdict: verdicts.return }) };
  const behind = chains.findIndex((chain) => chain.hook === undefined && chain.name > name);
  return chains.toSpliced(behind < 0 ? chains.length : behind, 0, { name, rules: [], end });
}

function withoutChain(chains: readonly Chain[], name: string): readonly Chain[] {
  return chains
    .filter((chain) => chain.name !== name || chain.hook !== undefined)
    .map((chain) => ({ ...chain, rules: chain.rules.filter(({ jump }) => jump !== name) }));
}

function withRules(
  chains: readonly Chain[],
  name: string,
  change: (rules: readonly Row[]) => readonly Row[],
): readonly Chain[] {
  if (!chains.some((chain) => chain.name === name)) throw new CodecError(`there is no chain ${name}`);
  return chains.map((chain) => (chain.name === name ? { ...chain, rules: change(chain.rules) } : chain));
}

function newRow(family: IpFamily, { matches, target }: NewLegacyRule): Row {
  // Where a chain is, is known only when the table is put together.
  const entry = makeEntry(family, { matches, verdict: target === 'accept' ? verdicts.accept : 0 });
  return target === 'accept' ? { entry } : { entry, jump: target.jump };
}
