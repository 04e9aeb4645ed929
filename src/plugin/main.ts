/** A plugin as an executable's whole program: what `skel.PluginMain` is in Go. */
import { type Plugin, processHost, runPlugin, watchProcess } from '../cni/index.ts';
import { processFiles } from './process-files.ts';

/**
 * Runs a plugin as this process's environment and standard input ask, prints its answer and ends the process. The last
 * line of a plugin's file: `if (import.meta.main) await pluginMain(plugin);`
 */
export async function pluginMain(plugin: Plugin): Promise<never> {
  process.exit(await runPlugin(plugin, processHost(processFiles, { watch: watchProcess })));
}
