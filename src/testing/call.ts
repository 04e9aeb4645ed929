/** One call of a plugin, in this process or executed, bounded in time. */

import { execute, parseOutput } from '../cni/executable.ts';
import {
  CniError,
  type Environment,
  type Plugin,
  processHost,
  runPlugin,
  watchProcess,
} from '../cni/index.ts';
import { processFiles } from '../plugin/process-files.ts';
import { resolveOwn } from './own-plugins.ts';
import { limit } from './sandbox.ts';
import { watchdog } from './watchdog.ts';

/** What is called: a plugin as its author defines it, or the path of any executable. */
export type PluginOrPath = Plugin | string;

/** A call, as a runtime makes it. */
export interface PluginCall {
  readonly plugin: PluginOrPath;
  readonly env: Environment;
  readonly config: object;
  readonly timeoutSeconds: number;
}

/** What the plugin answers, as JSON; undefined where it printed nothing. Throws the `CniError` that it answers. */
export async function callPlugin(call: PluginCall): Promise<unknown> {
  const stdout =
    typeof call.plugin === 'string' ? await callFile(call.plugin, call) : await callValue(call.plugin, call);
  return stdout === '' ? undefined : parseOutput(stdout);
}

/** How a plugin is called in messages. */
export function nameOf(plugin: PluginOrPath): string {
  return typeof plugin === 'string' ? plugin.slice(plugin.lastIndexOf('/') + 1) : plugin.name;
}

function neverEnded({ plugin, env, timeoutSeconds }: PluginCall): string {
  return `${env.CNI_COMMAND} of plugin \`${nameOf(plugin)}\` did not end within ${timeoutSeconds} s: it waits for something that never comes, or loops for ever`;
}

async function callFile(path: string, call: PluginCall): Promise<string> {
  const signal = AbortSignal.timeout(limit(call.timeoutSeconds));
  const { writeStderr } = processHost(processFiles);
  try {
    return await execute({ path, env: call.env, stdin: JSON.stringify(call.config), signal, writeStderr });
  } catch (error) {
    throw signal.aborted ? new CniError('internal', neverEnded(call)) : error;
  }
}

async function callValue(plugin: Plugin, call: PluginCall): Promise<string> {
  const ms = limit(call.timeoutSeconds);
  let stdout = '';
  const host = {
    ...processHost(processFiles, { resolve: resolveOwn, watch: watchProcess }),
    env: call.env,
    stdinIsTerminal: () => false,
    readStdin: () => JSON.stringify(call.config),
    writeStdout: (text: string) => {
      stdout += text;
    },
  };
  // A second more: where only a promise is stuck, the timer below says so, and the tests go on.
  const callOff = watchdog(ms + 1000, `fairlead/testing: ${neverEnded(call)}; the process is ended\n`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CniError('internal', neverEnded(call))), ms);
  });
  try {
    const exitCode = await Promise.race([runPlugin(plugin, host), tooLong]);
    if (exitCode !== 0) throw errorIn(stdout);
    return stdout;
  } finally {
    clearTimeout(timer);
    callOff();
  }
}

function errorIn(stdout: string): CniError {
  const { code, msg, details } = JSON.parse(stdout) as { code: number; msg: string; details?: string };
  return new CniError(code, msg, details);
}
