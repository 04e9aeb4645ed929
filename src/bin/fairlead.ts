/**
 * The executable. Called by the name of a plugin, through a link in a CNI bin directory, it is that plugin; by any
 * other name it is the command line. The only file that ends the process.
 */
import { isPluginName, loadPlugin, type PluginName, resolveInProcess } from '../plugins/names.ts';
import { tapMaker } from '../plugins/shared/tap-maker-name.ts';

async function asPlugin(name: PluginName): Promise<number> {
  // What a plugin throws it tells in one line; collecting where it was thrown would be for nobody.
  Error.stackTraceLimit = 0;
  const { runAsProcess } = await import('../plugin/main.ts');
  return runAsProcess(name, () => loadPlugin(name), { resolve: resolveInProcess });
}

/** Where Bun shows a compiled executable its own source files. */
const bundleRoot = '/$bunfs/';

async function asCommandLine(): Promise<number> {
  const { isatty } = await import('node:tty');
  const { runCli } = await import('../cli/main.ts');
  const { interruption } = await import('../cli/interruption.ts');
  const { processHost } = await import('../cni/process-host.ts');
  const { processFiles } = await import('../plugin/process-files.ts');
  const { once } = await import('../lib/once.ts');
  const { env, writeStdout, writeStderr } = processHost(processFiles);
  return runCli(process.argv.slice(2), {
    env,
    writeStdout,
    writeStderr,
    stdoutIsTerminal: isatty(1),
    stderrIsTerminal: isatty(2),
    isRoot: process.geteuid?.() === 0,
    interrupted: once(interruption),
    executablePath: import.meta.path.startsWith(bundleRoot) ? process.execPath : undefined,
  });
}

async function asTapMaker(): Promise<number> {
  const { makeTapAsAsked } = await import('../plugins/main/tap/tap-maker.ts');
  const { processFiles } = await import('../plugin/process-files.ts');
  const { bytesFromText } = await import('../lib/bytes.ts');
  processFiles.writeSync(1, bytesFromText(makeTapAsAsked(process.argv[2])));
  return 0;
}

/** The one plugin that is also a program that stays: `dhcp daemon`. */
async function asDhcpDaemon(): Promise<number> {
  const { runDaemon } = await import('../plugins/ipam/dhcp/daemon/main.ts');
  const { processHost } = await import('../cni/process-host.ts');
  const { processFiles } = await import('../plugin/process-files.ts');
  return runDaemon(process.argv.slice(3), processHost(processFiles).writeStderr);
}

function run(name: string): Promise<number> {
  if (name === 'dhcp' && process.argv[2] === 'daemon') return asDhcpDaemon();
  if (isPluginName(name)) return asPlugin(name);
  return name === tapMaker ? asTapMaker() : asCommandLine();
}

const calledAs = process.argv0.slice(process.argv0.lastIndexOf('/') + 1);
void run(calledAs).then((exitCode) => process.exit(exitCode));
