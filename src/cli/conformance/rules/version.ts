/** VERSION: SPEC.md section 2, "VERSION", and section 5, "VERSION Success". */
import { isCniVersion } from '../../../cni/version.ts';
import { type Answer, describe } from '../bench.ts';
import { succeeds } from '../expect.ts';
import { Broken, type Rule, section } from '../rule.ts';

const success = section(5, 'VERSION Success');

/** Rules about VERSION. */
export const versionRules: readonly Rule[] = [
  {
    id: 'version-answer',
    group: 'VERSION',
    text: 'VERSION answers with `cniVersion` and the list `supportedVersions`',
    section: success,
    level: 'must',
    run: async ({ call }) => wellFormed(await call('VERSION'), 'VERSION'),
  },
  {
    id: 'version-known',
    group: 'VERSION',
    text: 'the versions are released versions of the specification, each once',
    section: 'SPEC.md 1.1.0, "Released versions"',
    level: 'must',
    run: async ({ call }) => {
      const listed = versionsOf(await call('VERSION'));
      const unknown = listed.filter((version) => !isCniVersion(version));
      const twice = listed.filter((version, index) => listed.indexOf(version) !== index);
      const [wrong] = [...unknown, ...twice];
      if (wrong === undefined) return;
      throw new Broken(`supportedVersions: ${listed.join(', ')}`, `without ${JSON.stringify(wrong)}`);
    },
  },
  {
    id: 'version-echo',
    group: 'VERSION',
    text: 'VERSION repeats the `cniVersion` that it is asked in',
    section: success,
    level: 'must',
    run: async ({ call, subject }) => {
      for (const version of subject.versions) {
        const { json } = await call('VERSION', { version });
        if (json === undefined || json.cniVersion === undefined || json.cniVersion === version) continue;
        throw new Broken(
          `asked in ${version}: cniVersion ${JSON.stringify(json.cniVersion)}`,
          `"${version}"`,
        );
      }
    },
  },
  {
    id: 'version-no-input',
    group: 'VERSION',
    text: 'VERSION answers without input, as runtimes of 0.4.0 and older ask',
    section: 'SPEC.md 0.4.0, "CNI operations", VERSION: "Parameters: NONE"',
    level: 'must',
    run: async ({ call }) =>
      wellFormed(await call('VERSION', { stdin: '' }), 'VERSION with empty standard input'),
  },
  {
    id: 'version-unknown',
    group: 'VERSION',
    text: 'VERSION answers a runtime whose version it does not speak',
    section: section(2, 'VERSION: probe plugin version support'),
    level: 'should',
    run: async ({ call }) => {
      const answer = await call('VERSION', { config: { cniVersion: '99.0.0' } });
      wellFormed(answer, 'VERSION asked in 99.0.0');
    },
  },
];

/** The texts in `supportedVersions`; empty where there is no such list. */
export function versionsOf({ json }: Answer): readonly string[] {
  const listed: unknown = json?.supportedVersions;
  return Array.isArray(listed) ? listed.filter((each): each is string => typeof each === 'string') : [];
}

function wellFormed(answer: Answer, what: string): void {
  succeeds(answer, what);
  const expected = '{"cniVersion": "…", "supportedVersions": ["…", …]}';
  const { json } = answer;
  const listed: unknown = json?.supportedVersions;
  const right =
    typeof json?.cniVersion === 'string' &&
    Array.isArray(listed) &&
    listed.length > 0 &&
    versionsOf(answer).length === listed.length;
  if (!right) throw new Broken(`${what}: ${describe(answer)}`, expected);
}
