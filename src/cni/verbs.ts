/** Calling a plugin's verb with a typed request, and undoing an ADD that fails. */
import { tracer } from '../lib/trace.ts';
import {
  type CommonConfig,
  configError,
  readCommonConfig,
  readStrict,
  readValidAttachments,
} from './config.ts';
import { type CallInProcess, type Delegator, delegateTo, ipamOf } from './delegate.ts';
import { isAboutAttachment, type Parameters } from './environment.ts';
import { CniError, toCniError } from './error.ts';
import { readForgiving } from './forgiving.ts';
import type { Environment, Host } from './host.ts';
import { type JsonObject, member } from './json.ts';
import type { AddRequest, AttachmentToRemove, Plugin, Request, ValidAttachment } from './plugin.ts';
import { oneError } from './problems.ts';
import type { Result } from './result.ts';
import { decodeResult, problemsOfResult } from './result-decode.ts';
import { encodeResult } from './result-encode.ts';
import { describeProblem, type Problem } from './schema/schema.ts';
import { asUnavailable } from './status.ts';
import { type UndoSteps, undoSteps } from './undo.ts';
import { type RunningCalls, toTheEnd, type Verb } from './unfinished.ts';
import type { CniCommand, CniVersion } from './version.ts';

/** A call whose environment, configuration text and version are right. */
export interface Call {
  readonly plugin: Plugin;
  readonly command: Exclude<CniCommand, 'VERSION'>;
  readonly parameters: Parameters;
  readonly env: Environment;
  readonly host: Host;
  /** The configuration as it came. */
  readonly stdin: string;
  readonly config: JsonObject;
  readonly version: CniVersion;
  readonly callInProcess: CallInProcess;
}

/** What the configuration says, read and checked. */
interface CallConfig {
  readonly own: unknown;
  readonly common: CommonConfig;
  readonly validAttachments: readonly ValidAttachment[];
  readonly previousResult?: Result;
}

/** Calls the verb; ADD's result comes back in JSON, in the caller's version. Throws what the verb throws. */
export function callVerb(call: Call): Promise<JsonObject | undefined> {
  if (tracer === undefined) return runVerb(call);
  const { plugin, command, parameters } = call;
  const { containerId, ifname, netns } = parameters;
  const attachment = { network: String(call.config.name), containerId, ifname, netns };
  const text = `${command} of plugin ${plugin.name}`;
  return tracer.span({ kind: 'plugin', text, attachment }, () => runVerb(call));
}

async function runVerb(call: Call): Promise<JsonObject | undefined> {
  const { verbs } = call.plugin;
  const { command, parameters } = call;
  const config = readConfig(call);
  const undo = undoSteps();
  const running: RunningCalls = new Map();
  const verb: Verb = { plugin: call.plugin.name, command, host: call.host, running };
  const request = { ...makeRequest(call, config, undo, running), ...previousOf(config) };
  const attachment = attachmentOf(parameters, config.common.name);
  const inNamespace = { ...attachment, netns: parameters.netns };
  switch (command) {
    case 'ADD':
      return add(call, { ...request, command, attachment: inNamespace, onFailure: undo.add }, undo, verb);
    case 'DEL':
      await toTheEnd(verb, () => verbs.del({ ...request, command, attachment }));
      return undefined;
    case 'CHECK':
      await toTheEnd(verb, () => {
        const { previousResult = {} } = config;
        return verbs.check({ ...request, command, attachment: inNamespace, previousResult });
      });
      return undefined;
    case 'GC':
      await toTheEnd(verb, () => {
        return verbs.gc?.({ ...request, command, validAttachments: config.validAttachments });
      });
      return undefined;
    case 'STATUS':
      await asUnavailable(() => toTheEnd(verb, () => verbs.status?.({ ...request, command })));
      return undefined;
  }
}

/**
 * Reads all of the configuration. Throws a `CniError` with every problem: 7, or 6 for a result that is none. DEL does
 * without what is wrong.
 */
function readConfig(call: Call): CallConfig {
  const { plugin, command, config } = call;
  const problems: Problem[] = [];
  const read = command === 'DEL' ? readForgiving : readStrict;
  const common = readCommonConfig(config, problems, read);
  const own = read(plugin.config, config, problems);
  const validAttachments = command === 'GC' ? readValidAttachments(config, problems) : [];
  const previous = member(config, 'prevResult');
  if (command === 'CHECK' && previous === undefined) {
    problems.push({ path: ['prevResult'], message: 'is missing: CHECK compares with the result of ADD' });
  }
  if (common === undefined || problems.length > 0) throw configError(problems, plugin.name);
  if (previous === undefined || !isAboutAttachment(command)) return { own, common, validAttachments };
  const previousResult = readPrevious(call, previous);
  return { own, common, validAttachments, ...(previousResult && { previousResult }) };
}

/** DEL does without a result that cannot be read, so that it finishes; as libcni does when it reads its cache. */
function readPrevious({ plugin, command, version }: Call, previous: unknown): Result | undefined {
  try {
    return decodeResult(previous, { version, subject: `\`prevResult\` of plugin \`${plugin.name}\`` });
  } catch (error) {
    if (command === 'DEL') return undefined;
    throw error;
  }
}

function makeRequest(
  call: Call,
  { own, common }: CallConfig,
  undo: UndoSteps,
  running: RunningCalls,
): Request<unknown> {
  const { plugin, parameters, env, host, stdin, version, callInProcess } = call;
  const { args, pluginPath } = parameters;
  const cniVersion = version;
  const delegator: Delegator = { host, env, stdin, cniVersion, pluginPath, undo, callInProcess, running };
  return {
    plugin: plugin.name,
    cniVersion,
    network: common.name,
    config: own,
    common,
    rawConfig: call.config,
    args,
    pluginPath,
    ipam: ipamOf(delegator, common.ipamType),
    delegate: (type, options) => delegateTo(delegator, type, options),
  };
}

function previousOf({ previousResult }: CallConfig): { previousResult?: Result } {
  return previousResult === undefined ? {} : { previousResult };
}

function attachmentOf(
  { containerId, ifname, netns, netnsOverride }: Parameters,
  network: string,
): AttachmentToRemove {
  return {
    network,
    containerId,
    ifname,
    ...(netns !== '' && { netns }),
    ...(netnsOverride && { netnsOverride }),
  };
}

/** Whatever goes wrong until the result is in the caller's version, the steps made are undone. */
async function add(call: Call, request: AddRequest, undo: UndoSteps, verb: Verb): Promise<JsonObject> {
  try {
    const result = await toTheEnd(verb, () => call.plugin.verbs.add(request));
    refuseWrongResult(call.plugin.name, result, request.previousResult);
    return encodeResult(result, call.version);
  } catch (thrown) {
    const failures = await undo.run();
    const { code, msg, details } = toCniError(thrown);
    throw new CniError(code, msg, [details, ...failures].filter((text) => text !== '').join('; '));
  }
}

/** A plugin's own mistake, said so that its author finds it. */
function refuseWrongResult(plugin: string, result: unknown, previous: Result | undefined): void {
  if (result === undefined)
    throw new CniError('internal', `the ADD of plugin \`${plugin}\` returned no result`);
  const problems = problemsOfResult(result, previous);
  if (problems.length === 0) return;
  throw oneError(
    'internal',
    problems,
    (problem) => describeProblem(problem),
    `plugin \`${plugin}\` made a wrong result: `,
  );
}
