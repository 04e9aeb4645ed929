/**
 * Real packets between namespaces: ping, and a server that tells who reached it. Everywhere `netns` is a namespace's
 * path, and undefined the node.
 */
import { within } from './container.ts';
import { runProgram } from './program.ts';
import { limit, requireSandbox } from './sandbox.ts';

/** What a server listens with. IPv4 and IPv6 alike. */
export type Protocol = 'tcp' | 'udp';

const echoFile = new URL('echo.ts', import.meta.url).pathname;

/**
 * Whether an address answers one ping within the time. It is asked again meanwhile: the first may be lost to neighbour
 * discovery. Needs the program ping (Debian: iputils-ping).
 */
export async function ping(netns: string | undefined, address: string, timeoutSeconds = 3): Promise<boolean> {
  requireSandbox();
  const seconds = String(Math.ceil(limit(timeoutSeconds) / 1000));
  // With -c and -w, ping stays until it has the answer or the time is over.
  const argv = ['ping', '-n', '-q', '-c', '1', '-i', '0.2', '-w', seconds, address];
  return (await runProgram(within(netns, argv))).exitCode === 0;
}

/** A server in a namespace; disposing it, or stop(), ends it. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  stop(): Promise<void>;
}

/** What a server answered. */
export interface Answer {
  /** The server's name. */
  readonly server: string;
  /** The address that the server saw the client with, and the port. */
  readonly source: string;
  readonly sourcePort: number;
  /** What it heard. */
  readonly text: string;
  /** From the client's call to the answer, in milliseconds. */
  readonly ms: number;
}

const servers = new Set<Server>();

/** Starts a server: in which namespace, on which port, and the name that it answers with. */
export type Serve<P> = (
  netns: string | undefined,
  protocol: P,
  port: number,
  name: string,
) => Promise<Server>;

/** Starts a server that answers everyone on this port, on all addresses. Returns once it listens. @throws Error where it cannot */
export const serve = servedBy<Protocol>(echoFile);

/** `serve` whose far end is another program. */
export function servedBy<P extends string>(program: string): Serve<P> {
  return (netns, protocol, port, name) => {
    requireSandbox();
    const argv = [process.execPath, program, 'serve', protocol, String(port), name];
    return startServer(within(netns, argv), `${name} (${protocol} ${port})`, name);
  };
}

async function startServer(argv: readonly string[], what: string, name: string): Promise<Server> {
  const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const stop = async () => {
    servers.delete(server);
    child.kill('SIGKILL');
    await child.exited;
  };
  const server = { name, stop, [Symbol.asyncDispose]: stop };
  const reader = child.stdout.getReader();
  const timer = setTimeout(() => child.kill('SIGKILL'), limit(10));
  const { done } = await reader.read();
  clearTimeout(timer);
  if (done) throw new Error(`server ${what} did not start: ${await child.stderr.text()}`);
  servers.add(server);
  return server;
}

/** Ends every server of this file that still runs: `afterEach(stopServers)`. */
export async function stopServers(): Promise<void> {
  await Promise.all([...servers].map((server) => server.stop()));
}

/** How to ask. */
export interface AskOptions {
  /** 3 if left out, times the kernel's slowness. */
  readonly timeoutSeconds?: number;
  /** The client's own port (tcp and udp); any if left out. */
  readonly sourcePort?: number;
  readonly text?: string;
}

/** Asks a server: from which namespace, at which address and port. */
export type Ask<P> = (
  netns: string | undefined,
  protocol: P,
  address: string,
  port: number,
  options?: AskOptions,
) => Promise<Answer | undefined>;

/** Asks a server from a namespace. The answer, or undefined where none came: refused, unreachable or out of time. */
export const ask = askedBy<Protocol>(echoFile);

/** `ask` whose near end is another program. */
export function askedBy<P extends string>(program: string): Ask<P> {
  return async (netns, protocol, address, port, options = {}) => {
    requireSandbox();
    const { timeoutSeconds = 3, sourcePort = 0, text = 'hello' } = options;
    const parameters = [address, port, text, limit(timeoutSeconds), sourcePort].map(String);
    const argv = within(netns, [process.execPath, program, 'ask', protocol, ...parameters]);
    const { exitCode, stdout } = await runProgram(argv, { timeoutSeconds: timeoutSeconds + 10 });
    return exitCode === 0 ? (JSON.parse(stdout) as Answer) : undefined;
  };
}
