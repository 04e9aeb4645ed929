/**
 * The executable. Called by the name of a plugin, through a link in a CNI bin directory, it is that plugin; by any
 * other name it is the command line. The only file that ends the process.
 */
import { processHost, type Resolve } from '../cni/index.ts';
import { statIfThere } from '../kernel/sys/file.ts';
import { runAsProcess } from '../plugin/main.ts';
import { processFiles } from '../plugin/process-files.ts';
import { isPluginName, loadPlugin, type PluginName } from '../plugins/names.ts';

/** A plugin found on CNI_PATH that is this very file is called in process. */
const resolve: Resolve = (type, executablePath) =>
  isPluginName(type) && isThisFile(executablePath) ? () => loadPlugin(type) : undefined;

function isThisFile(path: string): boolean {
  const [own, other] = [statIfThere(process.execPath), statIfThere(path)];
  return own !== undefined && other !== undefined && own.ino === other.ino && own.dev === other.dev;
}

function asPlugin(name: PluginName): Promise<number> {
  // What a plugin throws it tells in one line; collecting where it was thrown would be for nobody.
  Error.stackTraceLimit = 0;
  return runAsProcess(name, () => loadPlugin(name), { resolve });
}

/** Where Bun shows a compiled executable its own source files. */
const bundleRoot = '/$bunfs/';

async function asCommandLine(): Promise<number> {
  const { isatty } = await import('node:tty');
  const { runCli } = await import('../cli/main.ts');
  const { env, writeStdout, writeStderr } = processHost(processFiles);
  return runCli(process.argv.slice(2), {
    env,
    writeStdout,
    writeStderr,
    stdoutIsTerminal: isatty(1),
    stderrIsTerminal: isatty(2),
    isRoot: process.geteuid?.() === 0,
    executablePath: import.meta.path.startsWith(bundleRoot) ? process.execPath : undefined,
  });
}

const calledAs = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);
const run = isPluginName(calledAs) ? () => asPlugin(calledAs) : asCommandLine;
void run().then((exitCode) => process.exit(exitCode));
