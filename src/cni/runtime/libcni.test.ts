/** The same scenarios played by libcni and by this runtime; testdata/runtime/main.go says how libcni's were made. */
import { afterAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CniError } from '../error.ts';
import type { JsonObject } from '../json.ts';
import { type AttachmentParameters, createRuntime, parseNetwork, type Runtime } from './index.ts';

interface Answer {
  readonly print: string;
  readonly fails?: boolean;
}

type Answers = Readonly<Record<string, Answer>>;

interface Step {
  readonly operation: string;
  readonly list?: number;
  readonly attachment?: number;
  readonly valid?: readonly { readonly containerID: string; readonly ifname: string }[];
  readonly answers?: Answers;
  readonly text?: string;
}

interface Scenario {
  readonly name: string;
  readonly folders: Readonly<Record<string, readonly string[]>>;
  readonly attachments?: readonly AttachmentParameters[];
  readonly answers?: Answers;
  readonly steps: readonly Step[];
}

/** What one operation did. */
interface Observed {
  readonly calls: readonly {
    plugin: string;
    variables: Readonly<Record<string, string>>;
    stdin: JsonObject;
  }[];
  readonly failed: boolean;
  readonly code?: number;
  readonly result?: JsonObject;
  readonly capabilities?: readonly string[];
  /** The files of the result cache and what they hold, byte for byte. */
  readonly cache: Readonly<Record<string, string>>;
}

const testdata = new URL('../testdata/runtime/', import.meta.url);
const load = (file: string) => readFileSync(new URL(file, testdata), 'utf8');
const scenarios: readonly Scenario[] = JSON.parse(load('scenarios.json'));
const observed: Readonly<Record<string, { lists: readonly string[]; steps: readonly Observed[] }>> =
  JSON.parse(load('observed.json'));

const root = mkdtempSync(join(tmpdir(), 'fairlead-libcni-'));
afterAll(() => rmSync(root, { recursive: true }));

const variables = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH'];

/** A folder with the scenario's plugins in it, in which its steps can be played. */
function stage({ folders, answers = {}, attachments = [] }: Scenario, lists: readonly string[]) {
  const dir = mkdtempSync(join(root, 'scenario-'));
  mkdirSync(join(dir, 'answers'));
  for (const [folder, plugins] of Object.entries(folders)) {
    mkdirSync(join(dir, folder));
    for (const plugin of plugins) {
      copyFileSync(new URL('recorder.sh', testdata), join(dir, folder, plugin));
      chmodSync(join(dir, folder, plugin), 0o755);
    }
  }
  const runtime = createRuntime({
    pluginPath: Object.keys(folders)
      .sort()
      .map((folder) => join(dir, folder)),
    cacheDir: join(dir, 'cache'),
    env: { PATH: process.env.PATH, RECORDER: dir, CNI_ARGS: 'INHERITED=1' },
  });
  give(dir, answers);

  async function play(step: Step): Promise<Observed> {
    give(dir, step.answers ?? {});
    const network = parseNetwork(new TextEncoder().encode(lists[step.list ?? 0]));
    const attachment = attachments[step.attachment ?? 0] ?? { containerId: '', ifname: '' };
    let outcome: Partial<Observed> & { failed: boolean };
    try {
      outcome = { failed: false, ...(await operate(runtime, dir, step, network, attachment)) };
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      outcome = { failed: true, code: error.code };
    }
    return { ...outcome, calls: takeCalls(dir), cache: readCache(dir) };
  }
  return play;
}

function give(dir: string, answers: Answers): void {
  for (const [name, { print, fails }] of Object.entries(answers)) {
    const file = join(dir, 'answers', name);
    writeFileSync(file, print);
    if (fails) writeFileSync(`${file}.fails`, '');
    else rmSync(`${file}.fails`, { force: true });
  }
}

async function operate(
  runtime: Runtime,
  dir: string,
  { operation, valid = [], text = '' }: Step,
  network: ReturnType<typeof parseNetwork>,
  attachment: AttachmentParameters,
): Promise<Partial<Observed>> {
  switch (operation) {
    case 'ADD':
      return { result: await runtime.add(network, attachment) };
    case 'CHECK':
      await runtime.check(network, attachment);
      return {};
    case 'DEL':
      await runtime.del(network, attachment);
      return {};
    case 'GC':
      await runtime.gc(
        network,
        valid.map(({ containerID, ifname }) => ({ containerId: containerID, ifname })),
      );
      return {};
    case 'STATUS':
      await runtime.status(network);
      return {};
    case 'VALIDATE': {
      const { capabilities, problems } = await runtime.validate(network);
      if (problems.length > 0) return { failed: true };
      return capabilities.length > 0 ? { capabilities } : {};
    }
    case 'CACHED': {
      const result = runtime.cachedResult(network, attachment);
      return result === undefined ? {} : { result };
    }
    case 'KEEP': {
      const folder = join(dir, 'cache', 'results');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${network.name}-${attachment.containerId}-${attachment.ifname}`), text);
      return {};
    }
  }
  throw new Error(`there is no operation ${operation}`);
}

function takeCalls(dir: string): Observed['calls'] {
  const file = join(dir, 'calls');
  let text = '';
  try {
    text = readFileSync(file, 'utf8').replaceAll(dir, '');
  } catch {
    return [];
  }
  rmSync(file);
  const lines = text.split('\n');
  const calls: Observed['calls'][number][] = [];
  for (let at = 0; at + 8 < lines.length; at += 8) {
    const [plugin = '', ...values] = lines.slice(at, at + 7);
    const set = Object.fromEntries(variables.map((name, index) => [name, values[index] ?? '']));
    calls.push({ plugin, variables: set, stdin: JSON.parse(lines[at + 7] ?? '') });
  }
  return calls;
}

function readCache(dir: string): Record<string, string> {
  const folder = join(dir, 'cache', 'results');
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]));
  } catch {
    return {};
  }
}

describe('as libcni', () => {
  test('every scenario was played', () => {
    expect(scenarios.map(({ name }) => name).sort()).toEqual(Object.keys(observed).sort());
  });

  for (const scenario of scenarios) {
    test(scenario.name, async () => {
      const { lists, steps } = observed[scenario.name] ?? { lists: [], steps: [] };
      const play = stage(scenario, lists);
      expect(steps).toHaveLength(scenario.steps.length);
      for (const [index, step] of scenario.steps.entries()) {
        const { message, ...expected } = { message: '', ...steps[index] };
        const seen = await play(step);
        // Where libcni gives no code, ours does: 0 is not one of the protocol's.
        const { code, ...rest } = seen;
        const comparable = expected.code === undefined ? rest : seen;
        expect({ step: index, ...step, seen: comparable }).toEqual({
          step: index,
          ...step,
          seen: expected as Observed,
        });
      }
    });
  }

  test('the keys on standard input come in the same order', async () => {
    const [scenario] = scenarios;
    const { lists, steps } = observed[scenario?.name ?? ''] ?? { lists: [], steps: [] };
    if (scenario === undefined) throw new Error('no scenario');
    const play = stage(scenario, lists);
    const inputs = (calls: Observed['calls']) => calls.map(({ stdin }) => JSON.stringify(stdin));
    for (const [index, step] of scenario.steps.entries()) {
      expect(inputs((await play(step)).calls)).toEqual(inputs(steps[index]?.calls ?? []));
    }
  });
});
