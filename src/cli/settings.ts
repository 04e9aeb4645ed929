/** The settings that several commands share, from options and environment. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  createRuntime,
  loadNetwork,
  type NetworkConfigurationList,
  type Runtime,
} from '../cni/runtime/index.ts';
import type { Call } from './command.ts';
import * as option from './option.ts';
import { UsageError } from './usage-error.ts';

/** What every command that calls plugins has. */
export const runtimeOptions = [option.netConfPath, option.pluginPath, option.cacheDir, option.trace];

/** The directory that an option names, absolute. */
export function directoryOf({ options }: Call, which: option.Option): string {
  return resolve(options.text(which) ?? '');
}

/** The directories of CNI_PATH, absolute. */
export function pluginPathOf({ options }: Call): readonly string[] {
  const list = options.text(option.pluginPath) ?? '';
  return list
    .split(':')
    .filter((directory) => directory !== '')
    .map((directory) => resolve(directory));
}

/**
 * A runtime by the call's settings. Ctrl-C ends the plugin that runs, and so the operation, unless it is to go to its end
 * all the same. Throws a `UsageError` where there is no directory with plugins.
 */
export function runtimeOf(call: Call, { toTheEnd = false } = {}): Runtime {
  const pluginPath = pluginPathOf(call);
  const { env, writeStderr } = call.io;
  if (!pluginPath.some((directory) => existsSync(directory))) {
    const { source } = call.options;
    throw new UsageError(
      `there is no directory with plugins: ${source(option.pluginPath)} is ${pluginPath.join(':') || '":"'}`,
      `\`fairlead install DIR\` makes one; --plugin-path DIR or CNI_PATH=DIR names it`,
    );
  }
  return createRuntime({
    pluginPath,
    cacheDir: directoryOf(call, option.cacheDir),
    env,
    writeStderr,
    ...(toTheEnd ? {} : { signal: call.io.interrupted() }),
  });
}

/** The network of this name. Throws a `CniError` that says which there are. */
export function networkOf(call: Call, name: string): NetworkConfigurationList {
  return loadNetwork(directoryOf(call, option.netConfPath), name);
}
