/** What a rule tries a plugin with: containers on a fresh node, and calls as a runtime makes them. */
import { isJsonObject, type JsonObject } from '../../cni/json.ts';
import type { Result } from '../../cni/result.ts';
import { decodeResult } from '../../cni/result-decode.ts';
import { encodeResult } from '../../cni/result-encode.ts';
import { type CniVersion, isAtLeast } from '../../cni/version.ts';
import { dress } from './dress.ts';
import { type Ended, invoke, printedObject } from './invoke.ts';
import { type Container, createContainer } from './node.ts';
import { Hung, NotTried } from './rule.ts';
import type { Subject } from './subject.ts';

/** A container, and what a plugin before this one has made in it. */
export interface TestContainer extends Container {
  /** For chained plugins; undefined for others. */
  readonly previous: Result | undefined;
}

/** One call. */
export interface CallOptions {
  readonly container?: TestContainer;
  readonly ifname?: string;
  /** The newest that the plugin speaks if not given. */
  readonly version?: CniVersion;
  /** Members of the configuration, before those that are there; undefined takes one away. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Standard input as it is, in place of a configuration. */
  readonly stdin?: string;
  /** Variables, before those that are there; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How a call ended. */
export interface Answer extends Ended {
  /** For people: `ADD`, or `ADD with …`. */
  readonly what: string;
  /** The object that was printed. */
  readonly json: JsonObject | undefined;
  /** It ended with an exit code other than 0, or printed what looks like an error object. */
  readonly failed: boolean;
  /** What it printed, if that looks like an error object. */
  readonly error: JsonObject | undefined;
}

/** An attachment that ADD has made. */
export interface Attached {
  readonly container: TestContainer;
  readonly ifname: string;
  readonly version: CniVersion;
  /** As printed. */
  readonly json: JsonObject;
  readonly result: Result;
}

/** What a rule is tried with. */
export interface Bench {
  readonly subject: Subject;
  /** Makes a container; for chained plugins one with an interface. The id is one of its own if not given. */
  container(id?: string): TestContainer;
  /** Calls the plugin. Throws `Hung` where it does not end in time. */
  call(command: string, options?: CallOptions): Promise<Answer>;
  /** ADD that has to succeed for the rule to be tried at all: throws `NotTried` where it does not. */
  attach(options?: CallOptions): Promise<Attached>;
  /** DEL, CHECK of an attachment, with ADD's result as the runtime gives it. */
  on(command: 'DEL' | 'CHECK', attached: Attached, options?: CallOptions): Promise<Answer>;
}

/** A bench for one rule. */
export function createBench(subject: Subject): Bench {
  let containers = 0;
  const container = (id?: string) => {
    containers += 1;
    return makeContainer(subject, containers, id);
  };
  const call = async (command: string, options: CallOptions = {}): Promise<Answer> => {
    const ended = await invoke({
      path: subject.path,
      env: environment(subject, command, options),
      stdin: options.stdin ?? JSON.stringify(request(subject, command, options)),
      cwd: options.cwd ?? '/',
      timeoutMs: subject.timeoutMs,
    });
    if (ended.timedOut) {
      throw new Hung(`${command} did not end within ${subject.timeoutMs / 1000} s and was killed`);
    }
    return answer(command, ended);
  };
  const attach = async (options: CallOptions = {}): Promise<Attached> => {
    const of = options.container ?? container();
    const { version = subject.version, ifname = subject.ifname } = options;
    const added = await call('ADD', { ...options, container: of });
    if (added.failed) throw new NotTried(`ADD fails: ${describe(added)}`);
    const json = added.json ?? {};
    return { container: of, ifname, version, json, result: decode(json, version) };
  };
  return {
    subject,
    container,
    call,
    attach,
    on: (command, { container: of, ifname, version, json }, options) => {
      // Before 0.4.0 a runtime gives DEL no result.
      const given = isAtLeast(version, '0.4.0') ? { prevResult: json } : {};
      const config = { ...given, ...options?.config };
      return call(command, { container: of, ifname, version, ...options, config });
    },
  };
}

/** Ids repeat from rule to rule: each has a node of its own. */
function makeContainer(subject: Subject, number: number, id = `conformance-${number}`): TestContainer {
  const container = createContainer(id);
  if (subject.kind !== 'chained') return { ...container, previous: undefined };
  const template = decodeResult(subject.prevResult, { version: '1.1.0', subject: 'the previous result' });
  return { ...container, previous: dress(container, `host${number}-`, template) };
}

/** The variables that each command has (SPEC.md section 2); a runtime gives VERSION, GC and STATUS none of a container. */
function environment(subject: Subject, command: string, options: CallOptions): Record<string, string> {
  const { container, ifname = subject.ifname, env } = options;
  const path = subject.pluginPath.join(':');
  const variables: Record<string, string | undefined> = {
    ...subject.env,
    CNI_COMMAND: command,
    ...(command !== 'VERSION' && { CNI_PATH: path }),
    ...(container && {
      CNI_CONTAINERID: container.id,
      CNI_NETNS: container.netns,
      CNI_IFNAME: ifname,
      CNI_ARGS: '',
    }),
    ...env,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The request configuration (SPEC.md section 3, "Deriving request configuration from plugin configuration"). */
function request(subject: Subject, command: string, options: CallOptions): JsonObject {
  const { version = subject.version, container, config } = options;
  if (command === 'VERSION') return { cniVersion: version, ...config };
  const previous = container?.previous;
  const json = {
    ...subject.config,
    cniVersion: version,
    name: subject.name,
    ...(previous && isAtLeast(version, '0.3.0') && { prevResult: encodeResult(previous, version) }),
    ...config,
  };
  // JSON.stringify leaves out what is undefined.
  return json;
}

function answer(what: string, ended: Ended): Answer {
  const json = printedObject(ended.stdout);
  const error = json !== undefined && ('code' in json || 'msg' in json) ? json : undefined;
  return { ...ended, what, json, error, failed: ended.exitCode !== 0 || error !== undefined };
}

function decode(json: JsonObject, version: CniVersion): Result {
  try {
    return decodeResult(json, { version, subject: 'the result of ADD' });
  } catch (error) {
    throw new NotTried(
      `ADD's result cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** How a call ended, in a line for people. */
export function describe({ exitCode, endedBy, stdout, stderr, error }: Answer): string {
  if (error !== undefined) {
    const details = typeof error.details === 'string' && error.details !== '' ? `; ${error.details}` : '';
    const code = exitCode === 0 ? ', exit code 0' : '';
    return `error ${String(error.code)}: ${String(error.msg)}${details}${code}`;
  }
  const how = exitCode === null ? `ended by ${endedBy}` : `exit code ${exitCode}`;
  const printed = stdout.trim() === '' ? 'nothing on standard output' : `printed ${excerpt(stdout)}`;
  return [how, printed, ...(stderr.trim() === '' ? [] : [`standard error: ${excerpt(stderr)}`])].join(', ');
}

/** The beginning of a text, in one line. */
export function excerpt(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** The code of an error object, where it has one. */
export function codeOf({ error }: Answer): number | undefined {
  return typeof error?.code === 'number' ? error.code : undefined;
}

/** A member that is an object. */
export function objectIn(json: JsonObject, key: string): JsonObject | undefined {
  const value = json[key];
  return isJsonObject(value) ? value : undefined;
}

/** A member that is a list; empty where there is none. */
export function listIn(json: JsonObject, key: string): readonly unknown[] {
  const value = json[key];
  return Array.isArray(value) ? value : [];
}
