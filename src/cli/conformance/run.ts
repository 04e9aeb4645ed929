/** Trying a plugin by the rules, each on a node of its own. */
import { type CniVersion, cniVersions, isAtLeast, isCniVersion } from '../../cni/version.ts';
import { NetlinkError, SystemError } from '../../kernel/index.ts';
import { createBench } from './bench.ts';
import { renewNode } from './node.ts';
import { Broken, Hung, type Kind, NotTried, type Rule } from './rule.ts';
import { versionsOf } from './rules/version.ts';
import type { Asked, Subject } from './subject.ts';

/** What became of a rule. */
export type Verdict =
  | { readonly rule: Rule; readonly verdict: 'holds' }
  | { readonly rule: Rule; readonly verdict: 'broken'; readonly seen: string; readonly expected: string }
  | {
      readonly rule: Rule;
      readonly verdict: 'notTried';
      readonly reason: string;
      /** False where the rule is about other plugins: of another kind, or of a newer version. */
      readonly applies: boolean;
    };

/** What is tried where the plugin does not say its versions. */
const assumedVersions: readonly CniVersion[] = ['1.0.0'];

/** After so many calls that did not end, no more is tried: each costs the whole time limit. */
const mostHung = 3;

/** Finds out which versions the plugin speaks and, where that is not known, what kind of plugin it is. */
export async function examine(asked: Asked, kind: Kind | undefined): Promise<Subject> {
  renewNode();
  const newest = { ...asked, versions: assumedVersions, version: '1.0.0' as CniVersion };
  const { call } = createBench({ ...newest, kind: 'interface' });
  const listed = await call('VERSION').then(versionsOf, hungIs([]));
  const known = cniVersions.filter((version) => listed.filter(isCniVersion).includes(version));
  const versions = known.length > 0 ? known : assumedVersions;
  const subject = { ...asked, versions, version: versions.at(-1) ?? '1.0.0' };
  return { ...subject, kind: kind ?? (await kindOf(subject)) };
}

/** By what ADD does: an IPAM plugin gives addresses without interfaces, a chained one needs a previous result. */
async function kindOf(subject: Omit<Subject, 'kind'>): Promise<Kind> {
  renewNode();
  const alone = createBench({ ...subject, kind: 'interface' });
  const { failed, json } = await alone
    .call('ADD', { container: alone.container() })
    .then((a) => a, hungIs(noAnswer));
  const has = (key: string) => {
    const value: unknown = json?.[key];
    return Array.isArray(value) && value.length > 0;
  };
  if (!failed && has('interfaces')) return 'interface';
  if (!failed && has('ips')) return 'ipam';
  renewNode();
  const behind = createBench({ ...subject, kind: 'chained' });
  const second = await behind.call('ADD', { container: behind.container() }).then((a) => a, hungIs(noAnswer));
  return second.failed ? 'interface' : 'chained';
}

const noAnswer = { failed: true, json: undefined };

function hungIs<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Hung) return otherwise;
    throw error;
  };
}

/** Tries the rules one after the other; whether the plugin ends at all comes first. */
export async function tryRules(subject: Subject, rules: readonly Rule[]): Promise<readonly Verdict[]> {
  const verdicts = new Map<Rule, Verdict>();
  const hung = new Set<Rule>();
  for (const rule of [...rules].sort((a, b) => Number(b.id === 'ends') - Number(a.id === 'ends'))) {
    if (hung.size < mostHung) {
      renewNode();
      verdicts.set(rule, await tryRule(subject, rule, hung));
    } else {
      verdicts.set(rule, notTried(rule, `${mostHung} rules before found the plugin not ending`));
    }
  }
  const all = rules.flatMap((rule) => verdicts.get(rule) ?? []);
  const endsIsBroken = all.some(({ rule, verdict }) => rule.id === 'ends' && verdict === 'broken');
  return endsIsBroken ? all.map((each) => (hung.has(each.rule) ? blameEnds(each) : each)) : all;
}

function notTried(rule: Rule, reason: string): Verdict {
  return { rule, verdict: 'notTried', reason, applies: true };
}

/** A plugin that does not end breaks that one rule; what the others would have found is not known. */
function blameEnds({ rule }: Verdict): Verdict {
  return notTried(rule, 'the plugin did not end (rule ends)');
}

async function tryRule(subject: Subject, rule: Rule, hung: Set<Rule>): Promise<Verdict> {
  const reason = whyNot(subject, rule);
  if (reason !== undefined) return { rule, verdict: 'notTried', reason, applies: false };
  try {
    await rule.run(createBench(subject));
    return { rule, verdict: 'holds' };
  } catch (error) {
    if (error instanceof Broken)
      return { rule, verdict: 'broken', seen: error.seen, expected: error.expected };
    if (error instanceof NotTried) return notTried(rule, error.message);
    if (error instanceof NetlinkError || error instanceof SystemError)
      return notTried(rule, `what the rule needs cannot be made: ${error.message}`);
    if (!(error instanceof Hung)) throw error;
    hung.add(rule);
    return { rule, verdict: 'broken', seen: error.message, expected: 'an end, with success or an error' };
  }
}

function whyNot({ kind, version }: Subject, { kinds, since }: Rule): string | undefined {
  if (kinds !== undefined && !kinds.includes(kind)) {
    return `about ${kinds.map((each) => names[each]).join(' and ')} plugins`;
  }
  if (since !== undefined && !isAtLeast(version, since)) return `since ${since}, which it does not support`;
  return undefined;
}

const names: Readonly<Record<Kind, string>> = { interface: 'interface', ipam: 'IPAM', chained: 'chained' };
