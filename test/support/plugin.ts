/** Running a plugin's executable as a runtime does: SPEC.md section 2. */
import type { Container } from './container.ts';
import { type Ended, runProgram } from './program.ts';
import { requireSandbox } from './sandbox.ts';

/** What `npm run build` made; FAIRLEAD_DIST says where, if not in dist. */
export const dist = process.env.FAIRLEAD_DIST || new URL('../../dist', import.meta.url).pathname;

/** The CNI bin directory with this project's plugins. */
export const binDirectory = `${dist}/cni`;

/** One call of a plugin. What is left out is not in its environment. */
export interface PluginCall {
  /** Its type: the name of its file. */
  readonly plugin: string;
  /** CNI_COMMAND. */
  readonly command: string;
  /** The configuration, given as JSON on standard input. */
  readonly config?: object;
  /** Standard input as it is, in place of `config`. */
  readonly stdin?: string | Uint8Array;
  /** CNI_CONTAINERID and CNI_NETNS of a container; the two below go before. */
  readonly container?: Container;
  readonly containerId?: string;
  readonly netns?: string;
  /** CNI_IFNAME. */
  readonly ifname?: string;
  /** CNI_ARGS. */
  readonly args?: string;
  /** More variables, and other values for those above; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The directory that the plugin and those it delegates to are in; this project's if left out. */
  readonly binDirectory?: string;
  /** A command to run the plugin under: `['strace', …]`. */
  readonly under?: readonly string[];
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
}

/** How a plugin ended; `json` is its standard output parsed, undefined where that is no JSON. */
export interface PluginEnded extends Ended {
  readonly json: unknown;
}

/** An error object of the protocol. */
export interface PluginError {
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
  readonly cniVersion?: string;
}

/** Runs a plugin once, whatever comes of it. Many can run at once. */
export async function runPlugin(call: PluginCall): Promise<PluginEnded> {
  requireSandbox();
  const directory = call.binDirectory ?? binDirectory;
  const { cwd, timeoutSeconds } = call;
  const ended = await runProgram([...(call.under ?? []), `${directory}/${call.plugin}`], {
    stdin: call.stdin ?? (call.config === undefined ? '' : JSON.stringify(call.config)),
    env: environmentOf(call, directory),
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  });
  return { ...ended, json: parse(ended.stdout) };
}

function environmentOf(call: PluginCall, directory: string): Record<string, string> {
  const variables = {
    PATH: process.env.PATH,
    CNI_COMMAND: call.command,
    CNI_PATH: directory,
    CNI_CONTAINERID: call.containerId ?? call.container?.id,
    CNI_NETNS: call.netns ?? call.container?.netns,
    CNI_IFNAME: call.ifname,
    CNI_ARGS: call.args,
    ...call.env,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A call whose command is given by the function's name; the interface is eth0 if left out. */
export type NamedCall = Omit<PluginCall, 'command'>;

/** ADD that has to succeed; the result. @throws Error with the plugin's error */
export async function add<Result = AddResult>(call: NamedCall): Promise<Result> {
  return (await successful({ ifname: 'eth0', ...call, command: 'ADD' })).json as Result;
}

/** DEL that has to succeed. @throws Error with the plugin's error */
export async function del(call: NamedCall): Promise<void> {
  await successful({ ifname: 'eth0', ...call, command: 'DEL' });
}

/** CHECK that has to succeed; the configuration's `prevResult` is the caller's. @throws Error with the plugin's error */
export async function check(call: NamedCall): Promise<void> {
  await successful({ ifname: 'eth0', ...call, command: 'CHECK' });
}

/** GC that has to succeed; the configuration's `cni.dev/valid-attachments` is the caller's. @throws Error with the plugin's error */
export async function gc(call: NamedCall): Promise<void> {
  await successful({ ...call, command: 'GC' });
}

/** STATUS that has to succeed. @throws Error with the plugin's error */
export async function status(call: NamedCall): Promise<void> {
  await successful({ ...call, command: 'STATUS' });
}

/** The result of ADD from version 1.0.0 on. */
export interface AddResult {
  readonly cniVersion: string;
  readonly interfaces?: readonly {
    readonly name: string;
    readonly mac?: string;
    readonly mtu?: number;
    readonly sandbox?: string;
  }[];
  readonly ips?: readonly {
    readonly address: string;
    readonly gateway?: string;
    readonly interface?: number;
  }[];
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns?: object;
}

/** Runs a plugin that has to succeed. @throws Error with the plugin's error */
export async function successful(call: PluginCall): Promise<PluginEnded> {
  const ended = await runPlugin(call);
  if (ended.exitCode === 0) return ended;
  throw new Error(`${call.plugin} ${call.command}: ${describe(ended)}`);
}

function describe({ exitCode, json, stdout, stderr }: PluginEnded): string {
  if (!isError(json)) return `exit code ${exitCode}\nstdout: ${stdout}\nstderr: ${stderr}`;
  const details = json.details === undefined ? '' : `; ${json.details}`;
  return `error ${json.code}: ${json.msg}${details}${stderr === '' ? '' : `\nstderr: ${stderr}`}`;
}

function isError(json: unknown): json is PluginError {
  return typeof json === 'object' && json !== null && 'code' in json && 'msg' in json;
}

/** Runs a plugin that has to fail with an error object of the protocol, which is returned. @throws Error where it did not */
export async function failure(call: PluginCall): Promise<PluginError> {
  const ended = await runPlugin(call);
  if (ended.exitCode !== 0 && isError(ended.json)) return ended.json;
  throw new Error(
    `${call.plugin} ${call.command} should have failed with an error object: ${describe(ended)}`,
  );
}
