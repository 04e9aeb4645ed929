/** A plugin as an executable's whole program: what `skel.PluginMain` is in Go. */
import { type Host, type Plugin, processHost, runPlugin, watchProcess } from '../cni/index.ts';
import type { FailedCall } from './failures/keep.ts';
import { executedPath, processFiles } from './process-files.ts';

/**
 * Runs a plugin as this process's environment and standard input ask, prints its answer and ends the process. The last
 * line of a plugin's file: `if (import.meta.main) await pluginMain(plugin);`
 */
export async function pluginMain(plugin: Plugin): Promise<never> {
  process.exit(await runAsProcess(plugin.name, async () => plugin, { watch: watchProcess }));
}

/**
 * Runs a plugin as this process: traced where FAIRLEAD_TRACE or the configuration's key `fairlead` asks for it, and a
 * call that failed is kept for `fairlead failures`. Returns the exit code. `load` is called last, so that a trace has it all.
 */
export async function runAsProcess(
  plugin: string,
  load: () => Promise<Plugin>,
  options: Pick<Host, 'resolve' | 'watch'>,
): Promise<number> {
  const { FAIRLEAD_TRACE } = process.env;
  if (FAIRLEAD_TRACE) await trace(FAIRLEAD_TRACE);
  const host = { ...processHost(processFiles, { configure }), ...options };
  return await runKept({ plugin, executable: executedPath() }, load, host);
}

/** Runs a plugin on a host. Returns the exit code; a call that failed is kept for `fairlead failures`. */
export async function runKept(
  call: { readonly plugin: string; readonly executable: string },
  load: () => Promise<Plugin>,
  host: Host,
): Promise<number> {
  let stdin = '';
  let output = '';
  const exitCode = await runPlugin(await load(), {
    ...host,
    readStdin: (limit) => {
      stdin = host.readStdin(limit);
      return stdin;
    },
    writeStdout: (text) => {
      output = text;
      host.writeStdout(text);
    },
  });
  if (exitCode !== 0) await keep({ ...call, env: host.env, stdin, output }).catch(() => {});
  return exitCode;
}

/** The configuration's key `fairlead`. */
async function configure(settings: unknown): Promise<void> {
  if (typeof settings === 'object' && settings !== null && 'trace' in settings && settings.trace === true)
    await trace('1');
}

async function trace(path: string): Promise<void> {
  const { startTrace } = await import('./trace/start.ts');
  const problem = startTrace(path);
  if (problem !== undefined) processHost(processFiles).writeStderr(problem);
}

/** Where Bun shows a compiled executable its own source files. */
const bundleRoot = '/$bunfs/';

/**
 * The answer is given already. What an interpreter runs has no executable by which it could be repeated; and who only
 * looks (`fairlead inspect`) wants nothing kept.
 */
async function keep(call: FailedCall): Promise<void> {
  if (!import.meta.path.startsWith(bundleRoot) || call.env.FAIRLEAD_FAILURES === 'off') return;
  const { keepFailedCall } = await import('./failures/keep.ts');
  keepFailedCall(call);
}
