/** One call of one plugin, as libcni makes it: what it gets in its environment and on standard input. */
import { tracer } from '../../lib/trace.ts';
import { errorOfPlugin, execute, findExecutable } from '../executable.ts';
import type { Environment } from '../host.ts';
import type { JsonObject } from '../json.ts';
import type { CniCommand } from '../version.ts';
import type { AttachmentParameters } from './attachment.ts';
import { goJson } from './go-json.ts';
import type { NetworkConfigurationList, PluginConfiguration } from './network.ts';

/** How plugins are found and executed. */
export interface Caller {
  /** The folders in which plugins are looked for, in this order. */
  readonly pluginPath: readonly string[];
  /** The environment that every plugin inherits; its `CNI_…` variables are replaced. */
  readonly env: Environment;
  /** Gets what plugins that succeed write on standard error. */
  writeStderr?(text: string): void;
  /** Ends the plugin that is running, with SIGKILL; the operation fails then. */
  readonly signal?: AbortSignal;
}

/** One call of a plugin. */
export interface PluginCall {
  readonly type: string;
  readonly command: CniCommand;
  /** None for an operation that is about no attachment. */
  readonly attachment?: AttachmentParameters;
  /** What it gets on standard input. */
  readonly config: JsonObject;
  /** What it gets as `CNI_PATH`; the folders of the caller if not given. */
  readonly path?: string;
}

/**
 * Executes a plugin and returns what it printed. Throws the `CniError` that it printed, or that says why it printed
 * none, with the plugin's type in front.
 */
export function callPlugin(caller: Caller, call: PluginCall): Promise<string> {
  if (tracer === undefined) return runCall(caller, call);
  const { type, command } = call;
  return tracer.span({ kind: 'call', text: `${command} by plugin ${type}` }, () => runCall(caller, call));
}

async function runCall(caller: Caller, call: PluginCall): Promise<string> {
  const { pluginPath, env, writeStderr, signal } = caller;
  return namingPlugin(call.type, () =>
    execute({
      path: findExecutable(call.type, pluginPath),
      env: { ...env, ...variables({ path: pluginPath.join(':'), ...call }) },
      // Sorted as libcni does it: of keys that differ in case a plugin in Go takes the last, which is ours then.
      stdin: goJson(call.config),
      ...(writeStderr && { writeStderr }),
      ...(signal && { signal }),
    }),
  );
}

/** What went wrong in `run`, with the plugin's type in front of the message and the code kept. */
export async function namingPlugin<T>(type: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw errorOfPlugin(type, error);
  }
}

/** Every variable is set, if only to nothing, so that none is inherited (`Args.AsEnv` in pkg/invoke/args.go). */
function variables({ command, attachment, path }: PluginCall): Environment {
  const { containerId = '', ifname = '', netns = '', args = [] } = attachment ?? {};
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_ARGS: args.map(([key, value]) => `${key}=${value}`).join(';'),
    CNI_IFNAME: ifname,
    CNI_PATH: path,
  };
}

/** A plugin's configuration for ADD, DEL and CHECK (`buildOneConfig` in libcni/api.go). */
export function attachmentConfig(
  network: NetworkConfigurationList,
  plugin: PluginConfiguration,
  { capabilityArgs = {} }: AttachmentParameters,
  prevResult: JsonObject | undefined,
): JsonObject {
  const declared = Object.entries(capabilityArgs).filter(([name]) => plugin.capabilities.includes(name));
  return networkConfig(network, plugin, {
    ...(prevResult && { prevResult }),
    ...(declared.length > 0 && { runtimeConfig: Object.fromEntries(declared) }),
  });
}

/** A plugin's configuration with the network's name and version, which win over its own, and `more`. */
export function networkConfig(
  { name, cniVersion }: NetworkConfigurationList,
  { json }: PluginConfiguration,
  more: JsonObject = {},
): JsonObject {
  return { ...json, name, cniVersion, ...more };
}
