/** `dhcp daemon`: holds leases for containers. */
import { messageOf } from '../../../../cni/index.ts';
import { mkdirSync, removeFile, writeFileSync } from '../../../../kernel/sys/file.ts';
import { connectDaemon, NoDaemonError } from '../rpc/client.ts';
import { FlagError, parseFlags } from './flags.ts';
import { openLeases } from './leases.ts';
import { type Log, logTo } from './log.ts';
import { type ListenAt, serve } from './server.ts';
import { leaseDirectory, leaseStore, lockLeases } from './store.ts';

/**
 * Runs the daemon with the arguments after `daemon` until SIGTERM or SIGINT. Returns the exit code: 0, 1 where it could not
 * begin, 2 for wrong flags.
 */
export async function runDaemon(
  argv: readonly string[],
  writeStderr: (text: string) => void,
): Promise<number> {
  const log = logTo(writeStderr);
  try {
    await run(argv, log);
    return 0;
  } catch (error) {
    if (error instanceof FlagError) {
      writeStderr(`${error.message}\n`);
      return error.exitCode;
    }
    log(messageOf(error));
    return 1;
  }
}

async function run(argv: readonly string[], log: Log): Promise<void> {
  const settings = parseFlags(argv);
  const { pidfile, hostPrefix } = settings;
  const socketPath = hostPrefix + settings.socketPath;
  const inherited = inheritedSocket(process.env);
  if (pidfile !== '') writePidfile(pidfile);
  const directory = leaseDirectory(socketPath);
  lockLeases(directory);
  if (inherited === undefined) await makeRoom(socketPath);
  const leases = openLeases(settings, leaseStore(directory), log);
  leases.resume();
  const server = listen(inherited === undefined ? { unix: socketPath } : { fd: inherited }, (at) =>
    serve(at, leases, log),
  );
  log(`listening on ${inherited === undefined ? socketPath : 'the socket that systemd opened'}`);
  await signalled();
  server.stop();
  // Systemd's own socket stays: it starts the daemon again.
  if (inherited === undefined) removeFile(socketPath);
  if (pidfile !== '') removeFile(pidfile);
  await leases.shutDown();
}

function writePidfile(path: string): void {
  if (!path.startsWith('/'))
    throw new Error(`cannot write pidfile ${JSON.stringify(path)}: the path must be absolute`);
  writeFileSync(path, String(process.pid), { mode: 0o644 });
}

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const firstInherited = 3;

/** The descriptor of systemd's socket, if the daemon was started by one. Throws where there is more than one. */
export function inheritedSocket(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const count = Number(env.LISTEN_FDS ?? '0');
  if (env.LISTEN_PID !== String(process.pid) || !(count > 0)) return undefined;
  if (count === 1) return firstInherited;
  throw new Error(`systemd handed over ${count} sockets, there must be one`);
}

/** Removes the socket of a daemon that was killed. Throws where one is alive, or something else listens. */
async function makeRoom(path: string): Promise<void> {
  mkdirSync(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true, mode: 0o700 });
  try {
    (await connectDaemon(path))[Symbol.dispose]();
  } catch (error) {
    if (!(error instanceof NoDaemonError)) throw error;
    removeFile(path);
    return;
  }
  throw new Error(`another DHCP daemon listens on ${path}`);
}

/** As systemd's socket of the reference: for root and its group. */
function listen<T>(at: ListenAt, call: (at: ListenAt) => T): T {
  const before = process.umask(0o117);
  try {
    return call(at);
  } finally {
    process.umask(before);
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
