/** The same calls to a plugin of the reference library's skel and to one of this harness; testdata/skel/main.go makes them. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { runPlugin } from './harness.ts';
import { CniError, definePlugin } from './index.ts';

interface Call {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Why the answer here is another one. */
  readonly ours?: string;
}

interface Observed {
  /** The verb that was called; none if the call was refused. */
  readonly called?: string;
  readonly exit: number;
  readonly code?: number;
  readonly answer?: unknown;
}

const load = (file: string) =>
  JSON.parse(readFileSync(new URL(`./testdata/skel/${file}`, import.meta.url), 'utf8'));
const calls: readonly Call[] = load('calls.json');
const observed: Readonly<Record<string, Observed & { readonly answer?: string }>> = load('observed.json');

async function run({ environment, stdin }: Call): Promise<Observed> {
  let called = '';
  let stdout = '';
  const verb = ({ command, args }: { command: string; args: ReadonlyMap<string, string> }) => {
    called = command;
    if (args.get('FAIL') === 'code') throw new CniError(111, 'failed', 'on purpose');
    if (args.get('FAIL') === 'plain') throw new Error('failed');
    return {};
  };
  const plugin = definePlugin({
    name: 'tiny',
    versions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    add: verb,
    del: (request) => void verb(request),
    check: (request) => void verb(request),
    gc: (request) => void verb(request),
    status: (request) => void verb(request),
  });
  const exit = await runPlugin(plugin, {
    env: environment,
    stdinIsTerminal: () => false,
    readStdin: () => stdin,
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: () => {},
  });
  const json = stdout === '' ? {} : JSON.parse(stdout);
  return {
    exit,
    ...(called !== '' && { called }),
    ...(exit !== 0 && { code: json.code }),
    ...(environment.CNI_COMMAND === 'VERSION' && exit === 0 && { answer: json }),
  };
}

function expectedOf(name: string): Observed {
  const { answer, ...rest } = observed[name] ?? { exit: -1 };
  return { ...rest, ...(answer !== undefined && { answer: JSON.parse(answer) }) };
}

describe('as a plugin made with skel', () => {
  test('every call was made', () => {
    expect(calls.map(({ name }) => name).sort()).toEqual(Object.keys(observed).sort());
  });

  for (const call of calls.filter(({ ours }) => ours === undefined)) {
    test(call.name, async () => {
      expect(await run(call)).toEqual(expectedOf(call.name));
    });
  }
});

describe('not as skel, for a reason', () => {
  for (const call of calls.filter(({ ours }) => ours !== undefined)) {
    test(`${call.name}: ${call.ours}`, async () => {
      expect(await run(call)).not.toEqual(expectedOf(call.name));
    });
  }
});
