/** Errors: SPEC.md section 2, "Errors", and section 5, "Error". */
import { isJsonObject } from '../../../cni/json.ts';
import { type Answer, type Bench, codeOf, describe, excerpt } from '../bench.ts';
import { parse } from '../invoke.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';

const error = section(5, 'Error');

/** Calls that a plugin has to refuse, each for a reason of another kind. */
async function provoke({ call, container }: Bench): Promise<readonly Answer[]> {
  const of = container();
  const calls = [
    ['ADD in version 99.0.0', 'ADD', { config: { cniVersion: '99.0.0' } }],
    ['ADD with garbage on standard input', 'ADD', { stdin: '}{ garbage' }],
    ['an unknown CNI_COMMAND', 'FROBNICATE', {}],
    ['ADD without CNI_CONTAINERID', 'ADD', { env: { CNI_CONTAINERID: undefined } }],
    ['ADD with the network name "../x"', 'ADD', { config: { name: '../x' } }],
    ['ADD to no namespace', 'ADD', { env: { CNI_NETNS: '/run/netns/not-there' } }],
  ] as const;
  const answers: Answer[] = [];
  for (const [what, command, options] of calls)
    answers.push({ ...(await call(command, { container: of, ...options })), what });
  return answers.filter(({ failed }) => failed);
}

/** Rules about the form of errors. */
export const errorRules: readonly Rule[] = [
  {
    id: 'error-exit-code',
    group: 'errors',
    text: 'with an error the exit code is not 0',
    section: section(2, 'Errors'),
    level: 'must',
    run: async (bench) => {
      for (const { what, exitCode, error: printed } of await provoke(bench)) {
        if (printed !== undefined && exitCode === 0)
          throw new Broken(
            `${what}: prints ${excerpt(JSON.stringify(printed))}, exit code 0`,
            'another exit code',
          );
      }
    },
  },
  {
    id: 'error-object',
    group: 'errors',
    text: 'an error is a JSON object on standard output with a number `code` and a text `msg`',
    section: error,
    level: 'should',
    run: async (bench) => {
      for (const answer of await provoke(bench)) {
        const { code, msg } = answer.error ?? {};
        if (Number.isSafeInteger(code) && typeof msg === 'string' && msg !== '') continue;
        throw new Broken(
          `${answer.what}: ${excerpt(answer.stdout) || describe(answer)}`,
          '{"cniVersion": …, "code": …, "msg": …}',
        );
      }
    },
  },
  {
    id: 'error-version',
    group: 'errors',
    text: 'an error has the `cniVersion` of the configuration',
    section: error,
    level: 'should',
    run: async ({ call, container, subject }) => {
      let seen = 0;
      for (const version of subject.versions) {
        const answer = await call('ADD', { container: container(), version, config: { name: '../x' } });
        if (answer.error === undefined) continue;
        seen += 1;
        const got = answer.error.cniVersion;
        if (got !== version)
          throw new Broken(
            `an error in version ${version} has ${got === undefined ? 'no cniVersion' : `cniVersion ${JSON.stringify(got)}`}`,
            `"${version}"`,
          );
      }
      if (seen === 0)
        throw new NotTried('no error object was seen (rules error-object, config-name-invalid)');
    },
  },
  {
    id: 'error-code',
    group: 'errors',
    text: 'of the reserved codes 0–99 only those that the specification defines are used',
    section: error,
    level: 'must',
    run: async (bench) => {
      // 8 (no network namespace) is the reference library's (pkg/types), and of no other meaning anywhere.
      const defined = [1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51];
      for (const answer of await provoke(bench)) {
        const code = codeOf(answer);
        if (code === undefined || code >= 100 || defined.includes(code)) continue;
        throw new Broken(
          `${answer.what}: ${describe(answer)}`,
          `one of ${defined.join(', ')}, or 100 and above`,
        );
      }
    },
  },
  {
    id: 'stdout-json',
    group: 'process',
    text: 'on standard output is nothing but one JSON object, or nothing: logs go to standard error',
    section: section(2, 'Overview'),
    level: 'must',
    run: async (bench) => {
      const { call, on } = bench;
      onlyJson(await call('VERSION'), 'VERSION');
      const container = bench.container();
      const added = await call('ADD', { container });
      onlyJson(added, 'ADD');
      if (!added.failed && added.stdout.trim() === '') throw new Broken('ADD: printed nothing', 'the result');
      if (!added.failed && added.json !== undefined) {
        const attached = await bench.attach();
        onlyJson(await on('DEL', attached), 'DEL');
      }
      for (const answer of await provoke(bench)) onlyJson(answer, answer.what);
    },
  },
];

function onlyJson({ stdout }: Answer, what: string): void {
  if (stdout.trim() === '' || isJsonObject(parse(stdout))) return;
  throw new Broken(`${what}: printed ${excerpt(stdout)}`, 'one JSON object and nothing else');
}
