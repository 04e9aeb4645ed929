/** The configuration on standard input: SPEC.md sections 1 and 3; section 5, error codes 1, 2, 6 and 7. */
import { codeOf, describe } from '../bench.ts';
import { failsWithCode, succeeds } from '../expect.ts';
import { Broken, type Rule, section } from '../rule.ts';

const errorCode = (code: number) => `${section(5, 'Error')}, code ${code}`;

/** A rule that a configuration is refused with one of these codes. */
function refuses(
  id: string,
  text: string,
  codes: readonly [number, ...number[]],
  inputs: readonly (readonly [what: string, input: { stdin?: string; config?: Record<string, unknown> }])[],
): Rule {
  return {
    id,
    group: 'configuration',
    text: `${text} is refused with code ${codes.join(' or ')}`,
    section: errorCode(codes[0]),
    level: 'must',
    run: async (bench) => {
      const container = bench.container();
      for (const [what, input] of inputs)
        failsWithCode(await bench.call('ADD', { container, ...input }), codes, `ADD with ${what}`);
    },
  };
}

const reserved = {
  runtimeConfig: {},
  args: { cni: { key: 'value' } },
  'cni.dev/conformance': { key: 'value' },
};

/** Rules about the configuration. */
export const configurationRules: readonly Rule[] = [
  refuses(
    'config-version',
    'a version that no plugin can support',
    [1],
    [['cniVersion "99.0.0"', { config: { cniVersion: '99.0.0' } }]],
  ),
  refuses(
    'config-garbage',
    'what is no JSON',
    [6],
    [
      ['"}{ garbage" on standard input', { stdin: '}{ garbage' }],
      ['half an object on standard input', { stdin: '{"cniVersion": "1.0.0", "name": "conf' }],
    ],
  ),
  refuses('config-empty', 'empty input', [6, 5, 7], [['nothing on standard input', { stdin: '' }]]),
  refuses(
    'config-no-object',
    'JSON that is no object',
    [6, 7],
    [
      ['a list on standard input', { stdin: '[1, 2, 3]' }],
      ['a text on standard input', { stdin: '"configuration"' }],
    ],
  ),
  refuses(
    'config-name',
    'a configuration without `name`',
    [7],
    [
      ['no name', { config: { name: undefined } }],
      ['an empty name', { config: { name: '' } }],
    ],
  ),
  refuses(
    'config-name-invalid',
    'a `name` that the specification does not allow',
    [7],
    [
      ['name "../x"', { config: { name: '../x' } }],
      ['name "a b"', { config: { name: 'a b' } }],
    ],
  ),
  refuses(
    'config-type',
    'a key of the wrong type',
    [6, 7],
    [
      ['name 5', { config: { name: 5 } }],
      ['a list as name', { config: { name: ['x'] } }],
    ],
  ),
  {
    id: 'config-unknown-key',
    group: 'configuration',
    text: 'an unknown key is ignored, or refused with code 2 and its key and value in the message',
    section: `${section(1, 'Plugin configuration objects')}, "Other keys"; ${errorCode(2)}`,
    level: 'must',
    run: async (bench) => {
      await bench.on('DEL', await bench.attach());
      const config = { conformanceKey: 'conformance-value' };
      const answer = await bench.call('ADD', { container: bench.container(), config });
      const text = describe(answer);
      const named = text.includes('conformanceKey') && text.includes('conformance-value');
      if (answer.failed && !(codeOf(answer) === 2 && named))
        throw new Broken(
          `ADD with an unknown key: ${text}`,
          'success, or code 2 with "conformanceKey" and "conformance-value"',
        );
    },
  },
  {
    id: 'config-reserved-keys',
    group: 'configuration',
    text: 'the keys that runtimes add (`runtimeConfig`, `args`, `cni.dev/…`) are no reason to fail',
    section: section(1, 'Plugin configuration objects'),
    level: 'must',
    run: async (bench) => {
      await bench.on('DEL', await bench.attach());
      const { runtimeConfig } = bench.subject.config;
      const config = runtimeConfig === undefined ? reserved : { ...reserved, runtimeConfig };
      const answer = await bench.call('ADD', { container: bench.container(), config });
      succeeds(answer, `ADD with ${Object.keys(reserved).join(', ')}`);
    },
  },
];
