/** The result of ADD by itself, in each version of the specification: section 5, "ADD Success", "Result" before 1.0.0. */

import { messageOf } from '../../../cni/error.ts';
import { isJsonObject, type JsonObject } from '../../../cni/json.ts';
import { decodeResult } from '../../../cni/result-decode.ts';
import { type CniVersion, isAtLeast } from '../../../cni/version.ts';
import { type Bench, excerpt } from '../bench.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';
import type { Subject } from '../subject.ts';

const success = section(5, 'ADD Success');

/** The versions in which ADD can be tried: chained plugins need a `prevResult`, which 0.3.0 brought. */
export function resultVersions({ kind, versions }: Subject): readonly CniVersion[] {
  return kind === 'chained' ? versions.filter((version) => isAtLeast(version, '0.3.0')) : versions;
}

/** Rules about what ADD prints. */
export const resultShapeRules: readonly Rule[] = [
  {
    id: 'result-version',
    group: 'result',
    text: "the result's `cniVersion` is that of the configuration, in every version",
    section: success,
    level: 'must',
    run: (bench) =>
      inEachVersion(bench, (json, version) => {
        if (json.cniVersion === version) return;
        const seen = JSON.stringify(json.cniVersion) ?? 'nothing';
        throw new Broken(`ADD in version ${version}: cniVersion is ${seen}`, `"${version}"`);
      }),
  },
  {
    id: 'result-shape',
    group: 'result',
    text: 'the result has the keys and types of its version, in every version',
    section: `${success}; "Result" of 0.1.0–0.4.0`,
    level: 'must',
    run: (bench) =>
      inEachVersion(bench, (json, version) => {
        const wrong = shapeProblem(json, version);
        if (wrong !== undefined)
          throw new Broken(`ADD in version ${version}: ${excerpt(JSON.stringify(json))}`, wrong);
      }),
  },
  {
    id: 'result-ipam',
    group: 'result',
    text: "an IPAM plugin's result has neither `interfaces` nor `interface` in `ips`",
    section: section(5, 'Delegated plugins (IPAM)'),
    level: 'must',
    kinds: ['ipam'],
    run: (bench) =>
      inEachVersion(bench, (json, version) => {
        const ips = listOf(json.ips);
        if (json.interfaces === undefined && ips.every((ip) => !('interface' in ip))) return;
        throw new Broken(`ADD in version ${version}: ${excerpt(JSON.stringify(json))}`, 'without interfaces');
      }),
  },
];

/** ADD in every version, and a look at what each printed. */
async function inEachVersion(
  bench: Bench,
  judge: (json: JsonObject, version: CniVersion) => void,
): Promise<void> {
  let seen = 0;
  for (const version of resultVersions(bench.subject)) {
    const container = bench.container();
    const { failed, json } = await bench.call('ADD', { container, version });
    if (!failed && json !== undefined) {
      judge(json, version);
      seen += 1;
    }
    await bench.call('DEL', { container, version, config: { prevResult: json } });
  }
  if (seen === 0) throw new NotTried('ADD gives no result in any version (rules add-succeeds, stdout-json)');
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** What a result should be and is not. */
function shapeProblem(json: JsonObject, version: CniVersion): string | undefined {
  const legacy = !isAtLeast(version, '0.3.0');
  const foreign = (legacy ? ['ips', 'interfaces', 'routes'] : ['ip4', 'ip6']).find((key) => key in json);
  if (foreign !== undefined) return `without \`${foreign}\`, which version ${version} does not have`;
  try {
    decodeResult({ ...json, cniVersion: version }, { version, subject: 'the result' });
  } catch (error) {
    return messageOf(error);
  }
  if (legacy) return undefined;
  return listOf(json.ips)
    .map((ip, index) => ipProblem(ip, index, json, version))
    .find((problem) => problem !== undefined);
}

function ipProblem(ip: JsonObject, index: number, json: JsonObject, version: CniVersion): string | undefined {
  const count = listOf(json.interfaces).length;
  if (typeof ip.interface === 'number' && ip.interface >= count)
    return `ips[${index}].interface below ${count}, the number of interfaces`;
  if (isAtLeast(version, '1.0.0')) return undefined;
  const family = String(ip.address).includes(':') ? '6' : '4';
  return ip.version === family ? undefined : `ips[${index}].version "${family}"`;
}
