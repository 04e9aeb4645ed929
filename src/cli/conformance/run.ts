/** Trying a plugin by the rules, each on a node of its own. */
import { type CniVersion, cniVersions, isAtLeast, isCniVersion } from '../../cni/version.ts';
import { NETLINK_ROUTE, openConnection, rtnetlink } from '../../kernel/index.ts';
import { createBench } from './bench.ts';
import { nodeLink } from './defaults.ts';
import type { Node } from './node.ts';
import { Broken, Hung, type Kind, NotTried, type Rule } from './rule.ts';
import { versionsOf } from './rules/version.ts';
import type { Asked, Subject } from './subject.ts';

/** What became of a rule. */
export type Verdict =
  | { readonly rule: Rule; readonly verdict: 'holds' }
  | { readonly rule: Rule; readonly verdict: 'broken'; readonly seen: string; readonly expected: string }
  | { readonly rule: Rule; readonly verdict: 'notTried'; readonly reason: string };

/** What is tried where the plugin does not say its versions. */
const assumedVersions: readonly CniVersion[] = ['1.0.0'];

/** After so many calls that did not end, no more is tried: each costs the whole time limit. */
const mostHung = 3;

/** Finds out which versions the plugin speaks and, where that is not known, what kind of plugin it is. */
export async function examine(node: Node, asked: Asked, kind: Kind | undefined): Promise<Subject> {
  renew(node);
  const newest = { ...asked, versions: assumedVersions, version: '1.0.0' as CniVersion };
  const { call } = createBench({ ...newest, kind: 'interface' });
  const listed = await call('VERSION').then(versionsOf, hungIs([]));
  const known = cniVersions.filter((version) => listed.filter(isCniVersion).includes(version));
  const versions = known.length > 0 ? known : assumedVersions;
  const subject = { ...asked, versions, version: versions.at(-1) ?? '1.0.0' };
  return { ...subject, kind: kind ?? (await kindOf(node, subject)) };
}

/** By what ADD does: an IPAM plugin gives addresses without interfaces, a chained one needs a previous result. */
async function kindOf(node: Node, subject: Omit<Subject, 'kind'>): Promise<Kind> {
  renew(node);
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
  renew(node);
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

/** Tries the rules one after the other. */
export async function tryRules(
  node: Node,
  subject: Subject,
  rules: readonly Rule[],
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const hung = new Set<Rule>();
  for (const rule of rules) {
    if (hung.size < mostHung) {
      renew(node);
      verdicts.push(await tryRule(subject, rule, hung));
    } else {
      verdicts.push({ rule, verdict: 'notTried', reason: `${mostHung} calls before did not end` });
    }
  }
  const endsIsBroken = verdicts.some(({ rule, verdict }) => rule.id === 'ends' && verdict === 'broken');
  return endsIsBroken ? verdicts.map((each) => (hung.has(each.rule) ? blameEnds(each) : each)) : verdicts;
}

/** A plugin that does not end breaks that one rule; what the others would have found is not known. */
function blameEnds({ rule }: Verdict): Verdict {
  return { rule, verdict: 'notTried', reason: 'the plugin did not end (rule ends)' };
}

/** A fresh node with a link that stands for its network card. */
function renew(node: Node): void {
  node.renew();
  const connection = openConnection(NETLINK_ROUTE);
  try {
    const peer = { name: `${nodeLink}-peer` };
    rtnetlink.createLink(connection, { kind: 'veth', name: nodeLink, up: true, data: { peer } });
    rtnetlink.changeLink(connection, peer.name, { up: true });
  } finally {
    connection.close();
  }
}

async function tryRule(subject: Subject, rule: Rule, hung: Set<Rule>): Promise<Verdict> {
  const reason = whyNot(subject, rule);
  if (reason !== undefined) return { rule, verdict: 'notTried', reason };
  try {
    await rule.run(createBench(subject));
    return { rule, verdict: 'holds' };
  } catch (error) {
    if (error instanceof Broken)
      return { rule, verdict: 'broken', seen: error.seen, expected: error.expected };
    if (error instanceof NotTried) return { rule, verdict: 'notTried', reason: error.message };
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
