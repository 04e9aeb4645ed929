/** Calling other plugins on behalf of a request: SPEC.md section 4, "Plugin Delegation". */
import { tracer } from '../lib/trace.ts';
import { CniError } from './error.ts';
import { errorOfPlugin, execute, findExecutable, NoAnswerError, parseOutput } from './executable.ts';
import type { Environment, Host } from './host.ts';
import type { JsonObject } from './json.ts';
import type { Delegate, DelegateOptions, Ipam, Plugin } from './plugin.ts';
import { decodeResult } from './result-decode.ts';
import type { UndoSteps } from './undo.ts';
import type { RunningCalls } from './unfinished.ts';
import type { CniCommand, CniVersion } from './version.ts';

/** What a delegated call needs of the request it is made for. */
export interface Delegator {
  readonly host: Host;
  /** The environment that the request came with. */
  readonly env: Environment;
  /** The configuration as it came. */
  readonly stdin: string;
  readonly cniVersion: CniVersion;
  readonly pluginPath: readonly string[];
  /** Where an ADD registers its DEL. */
  readonly undo: UndoSteps;
  readonly callInProcess: CallInProcess;
  /** Where its calls are entered while they run. */
  readonly running: RunningCalls;
}

/** Calls a plugin in this process: what it would print, or throws the `CniError` that it would print. */
export type CallInProcess = (
  plugin: Plugin,
  env: Environment,
  stdin: string,
) => Promise<JsonObject | undefined>;

type DelegatedCommand = Exclude<CniCommand, 'VERSION'>;

/** The plugin of this type; it is looked for on `CNI_PATH` when it is called. */
export function delegateTo(delegator: Delegator, type: string, options: DelegateOptions = {}): Delegate {
  const call = (command: DelegatedCommand) => {
    const answer = answerOf(command);
    const ended = () => delegator.running.delete(answer);
    delegator.running.set(answer, `${command} of plugin \`${type}\``);
    answer.then(ended, ended);
    return answer;
  };
  const answerOf = async (command: DelegatedCommand) => {
    try {
      return await callDelegate(delegator, type, command, options);
    } catch (error) {
      if (command === 'ADD' && error instanceof NoAnswerError) registerDel();
      throw errorOfPlugin(type, error);
    }
  };
  const callWithoutResult = async (command: DelegatedCommand) => {
    await call(command);
  };
  // DEL follows an ADD that succeeded or ended without an answer. The specification advises it after every ADD that
  // fails; but one that answers with an error has undone its own work, and DEL could free what an earlier ADD of
  // the same attachment holds, when a runtime calls ADD twice.
  const registerDel = () => {
    delegator.undo.add(`the ADD of plugin \`${type}\``, async () => {
      await callDelegate(delegator, type, 'DEL', options);
    });
  };
  return {
    async add() {
      const output = await call('ADD');
      registerDel();
      return decodeResult(output, {
        version: delegator.cniVersion,
        subject: `the result of plugin \`${type}\``,
      });
    },
    del: () => callWithoutResult('DEL'),
    check: () => callWithoutResult('CHECK'),
    gc: () => callWithoutResult('GC'),
    status: () => callWithoutResult('STATUS'),
  };
}

/** The IPAM plugin that the configuration names; calling it when it names none is an error that says so. */
export function ipamOf(delegator: Delegator, type: string | undefined): Ipam {
  if (type !== undefined) return { configured: true, ...delegateTo(delegator, type) };
  const refuse = () =>
    Promise.reject(
      new CniError('invalidConfig', '`ipam.type` is missing: it must name the IPAM plugin to delegate to'),
    );
  return { configured: false, add: refuse, del: refuse, check: refuse, gc: refuse, status: refuse };
}

async function callDelegate(
  delegator: Delegator,
  type: string,
  command: DelegatedCommand,
  { config, env: overrides }: DelegateOptions,
): Promise<unknown> {
  const { host } = delegator;
  const path = findExecutable(type, delegator.pluginPath, host.isFile);
  // CNI_COMMAND last: an override must not turn one operation into another.
  const env = { ...delegator.env, ...overrides, CNI_COMMAND: command };
  const stdin = config === undefined ? delegator.stdin : JSON.stringify(config);
  const load = host.resolve?.(type, path);
  if (load !== undefined) return delegator.callInProcess(await load(), env, stdin);
  const execution = { path, env, stdin, writeStderr: host.writeStderr };
  const what = { kind: 'call', text: `execute ${path}, ${command} for plugin ${type}` } as const;
  const stdout = await (tracer === undefined
    ? execute(execution)
    : tracer.span(what, () => execute(execution)));
  return command === 'ADD' ? parseOutput(stdout) : undefined;
}
