/** A `fairlead serve` of the test's own, on the sandbox's /run. */
import { existsSync } from 'node:fs';
import { dist, type PluginCall, type PluginEnded, runPlugin } from '../support/plugin.ts';
import { limit, requireSandbox } from '../support/sandbox.ts';

/** The plugins that hand over: links to fairlead-call. */
export const servedDirectory = `${dist}/served`;

/** Where it listens. */
export const socketPath = '/run/fairlead/serve.sock';

/** A running one. */
export type Serving = Bun.Subprocess<'ignore', 'pipe', 'pipe'>;

const servers = new Set<Serving>();

/** Starts one and waits until it listens. @throws Error with what it says where it ends instead */
export async function serve(
  executable = `${dist}/fairlead`,
  under: readonly string[] = [],
): Promise<Serving> {
  const server = start(executable, under);
  const deadline = performance.now() + limit(10) * 1000;
  while (!(await listens())) {
    if (server.exitCode !== null || performance.now() > deadline)
      throw new Error(`fairlead serve does not listen: ${await server.stderr.text()}`);
    await Bun.sleep(10);
  }
  return server;
}

/** Starts one, whatever comes of it; under another program, as `['strace', …]`, if that is given. */
export function start(executable = `${dist}/fairlead`, under: readonly string[] = []): Serving {
  requireSandbox();
  const server = Bun.spawn([...under, executable, 'serve'], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  servers.add(server);
  return server;
}

async function listens(): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  try {
    const socket = await Bun.connect({ unix: socketPath, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

/** Ends them all, for afterEach. */
export async function stopServers(): Promise<void> {
  for (const server of servers) {
    server.kill('SIGKILL');
    await server.exited;
  }
  servers.clear();
}

/** Runs a call, and says whether the server did it: the plugin's process opened no netlink socket itself then. */
export async function callObserved(call: PluginCall): Promise<PluginEnded & { readonly served: boolean }> {
  const log = `/tmp/serve-${crypto.randomUUID()}.strace`;
  const under = ['strace', '-f', '-o', log, '-e', 'trace=socket,connect', ...(call.under ?? [])];
  const ended = await runPlugin({ binDirectory: servedDirectory, ...call, under });
  const calls = await Bun.file(log).text();
  await Bun.file(log).delete();
  return { ...ended, served: calls.includes(socketPath) && !calls.includes('AF_NETLINK') };
}
