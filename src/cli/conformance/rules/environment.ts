/** The variables: SPEC.md section 2, "Parameters" and what each operation requires; section 5, error code 4. */
import { isAtLeast } from '../../../cni/version.ts';
import { type Answer, type Attached, type Bench, codeOf, describe } from '../bench.ts';
import { fails, failsWithCode } from '../expect.ts';
import { Broken, NotTried, type Rule, section } from '../rule.ts';

const parameters = section(2, 'Parameters');
const code4 = `${section(5, 'Error')}, code 4`;
const environmentCode = [4];

/** What is required by which operation (section 2, "Required environment parameters"). */
const required = [
  { id: 'env-containerid', variable: 'CNI_CONTAINERID', commands: ['ADD', 'CHECK', 'DEL'] },
  { id: 'env-netns', variable: 'CNI_NETNS', commands: ['ADD', 'CHECK'] },
  { id: 'env-ifname', variable: 'CNI_IFNAME', commands: ['ADD', 'CHECK', 'DEL'] },
] as const;

/** A call of each operation that requires a variable, without it. */
async function without(
  bench: Bench,
  { variable, commands }: (typeof required)[number],
): Promise<readonly Answer[]> {
  const { subject, call } = bench;
  const container = bench.container();
  const tried = commands.filter((command) => command !== 'CHECK' || isAtLeast(subject.version, '0.4.0'));
  const answers: Answer[] = [];
  for (const command of tried) {
    const config = command === 'ADD' ? {} : { prevResult: emptyResult(bench) };
    const answer = await call(command, { container, config, env: { [variable]: undefined } });
    answers.push({ ...answer, what: `${command} without ${variable}` });
  }
  return answers;
}

function emptyResult({ subject }: Bench): Attached['json'] {
  return { cniVersion: subject.version };
}

/** Rules about the variables. */
export const environmentRules: readonly Rule[] = [
  {
    id: 'env-command',
    group: 'environment',
    text: 'a call without CNI_COMMAND is refused with code 4',
    section: code4,
    level: 'must',
    run: async ({ call }) => {
      failsWithCode(await call('', {}), environmentCode, 'an empty CNI_COMMAND');
      const missing = await call('', { env: { CNI_COMMAND: undefined } });
      failsWithCode(missing, environmentCode, 'no CNI_COMMAND');
    },
  },
  {
    id: 'env-command-unknown',
    group: 'environment',
    text: 'an unknown CNI_COMMAND is refused with code 4',
    section: code4,
    level: 'must',
    run: async ({ call, container }) => {
      const answer = await call('FROBNICATE', { container: container() });
      failsWithCode(answer, environmentCode, 'CNI_COMMAND=FROBNICATE');
    },
  },
  ...required.map(
    (each): Rule => ({
      id: each.id,
      group: 'environment',
      text: `${list(each.commands)} without ${each.variable} ${each.commands.length > 1 ? 'are' : 'is'} refused with code 4`,
      section: code4,
      level: 'must',
      run: async (bench) => {
        for (const answer of await without(bench, each)) failsWithCode(answer, environmentCode, answer.what);
      },
    }),
  ),
  {
    id: 'env-names',
    group: 'environment',
    text: 'the message of error 4 names the variable',
    section: code4,
    level: 'must',
    run: async (bench) => {
      for (const each of required) {
        for (const answer of await without(bench, each)) {
          if (codeOf(answer) !== 4 || describe(answer).includes(each.variable)) continue;
          throw new Broken(`${answer.what}: ${describe(answer)}`, `a message with ${each.variable} in it`);
        }
      }
    },
  },
  {
    id: 'env-containerid-invalid',
    group: 'environment',
    text: 'a CNI_CONTAINERID that the specification does not allow is refused with code 4',
    section: parameters,
    level: 'must',
    run: async ({ call, container }) => {
      for (const id of ['../escape', 'a/b', '-a', '.a', 'a b']) {
        const answer = await call('ADD', { container: container(), env: { CNI_CONTAINERID: id } });
        failsWithCode(answer, environmentCode, `CNI_CONTAINERID=${JSON.stringify(id)}`);
      }
    },
  },
  {
    id: 'env-ifname-invalid',
    group: 'environment',
    text: 'a CNI_IFNAME that no interface can have is refused',
    section: parameters,
    level: 'must',
    run: async ({ call, container }) => {
      for (const name of ['longer-than-15-characters', 'a/b', '..']) {
        const answer = await call('ADD', { container: container(), ifname: name });
        fails(answer, `CNI_IFNAME=${JSON.stringify(name)}`, 'there can be no such interface');
      }
    },
  },
  {
    id: 'env-netns-invalid',
    group: 'environment',
    text: 'ADD to a namespace that does not exist is refused',
    section: section(2, 'ADD: Add container to network, or apply modifications'),
    level: 'must',
    kinds: ['interface', 'chained'],
    run: async (bench) => {
      const { call, subject } = bench;
      const attached = await bench.attach();
      if (subject.kind === 'chained' && !(await usesNamespace(bench))) return;
      const env = { CNI_NETNS: '/run/netns/not-there' };
      const answer = await call('ADD', { container: bench.container(), env });
      fails(answer, `ADD with CNI_NETNS=${env.CNI_NETNS}`, 'there is no such namespace');
      await bench.on('DEL', attached);
    },
  },
];

/** Chained plugins may work on the node only, and then have no use for the namespace. */
async function usesNamespace({ call, container }: Bench): Promise<boolean> {
  const gone = container();
  gone.removeNamespace();
  const { failed } = await call('ADD', { container: gone });
  if (!failed) throw new NotTried('it does not use the namespace: ADD succeeds without it');
  return true;
}

function list(commands: readonly string[]): string {
  return `${commands.slice(0, -1).join(', ')} and ${commands.at(-1)}`;
}
