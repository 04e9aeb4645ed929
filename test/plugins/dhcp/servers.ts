/**
 * Real DHCP servers and the daemon under test. The servers run in the other host of test/support/segment.ts, on its eth0,
 * whose far end is the node's eth0.
 */
// packages: dnsmasq-base kea-dhcp4-server iproute2
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { within } from '../../support/container.ts';
import { binDirectory } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { neighbour } from '../../support/segment.ts';

/** A program that goes on running. */
export interface Running {
  readonly pid: number;
  /** What it wrote until now, on both outputs. */
  log(): string;
  /** How often its log has this. */
  count(pattern: RegExp): number;
  /** Ends it, and waits for that. Returns its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

const running = new Set<Running>();

/** Ends all that still runs: `afterEach(stopAll)`. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop('SIGKILL')));
  // The reference's daemon does not begin where one that was killed left its socket.
  rmSync(socketPath, { force: true });
}

/** Starts a program. */
export function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = Bun.spawn([...argv], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let text = '';
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  };
  const outputs = Promise.all([read(child.stdout), read(child.stderr)]);
  const one: Running = {
    pid: child.pid,
    log: () => text,
    count: (pattern) => [...text.matchAll(new RegExp(pattern, 'g'))].length,
    async stop(signal = 'SIGTERM') {
      running.delete(one);
      child.kill(signal);
      const code = await child.exited;
      await outputs;
      return code;
    },
  };
  running.add(one);
  return one;
}

/** Waits until something holds. @throws Error with what was to be and with the logs, where it takes too long */
export async function until(what: string, holds: () => unknown, seconds = 20): Promise<void> {
  const end = performance.now() + limit(seconds);
  while (!(await holds())) {
    if (performance.now() >= end)
      throw new Error(
        `not in ${seconds} s: ${what}\n${[...running].map((one) => one.log().split('\n').slice(-25).join('\n')).join('\n--\n')}`,
      );
    await Bun.sleep(20);
  }
}

/** The socket of the daemon, unless a test says otherwise. */
export const socketPath = '/run/cni/dhcp.sock';

/** Starts this project's daemon, or another one, and waits until it listens. */
export async function startDaemon(
  flags: readonly string[] = [],
  { directory = binDirectory, socket = socketPath }: { directory?: string; socket?: string } = {},
): Promise<Running> {
  const daemon = start([`${directory}/dhcp`, 'daemon', ...flags]);
  const answers = async () => {
    const connection = await Bun.connect({ unix: socket, socket: { data() {} } }).catch(() => undefined);
    connection?.end();
    return connection !== undefined;
  };
  await until(`${directory}/dhcp listens on ${socket}`, answers);
  return daemon;
}

/** Starts dnsmasq on the other host, with an address of its own if it is not the host's. */
export async function startDnsmasq(
  options: readonly string[] = [],
  netns = neighbour.netns,
): Promise<Running> {
  const own = ['--port=0', '--conf-file=/dev/null', '--leasefile-ro', '--no-ping', '--pid-file='];
  const log = ['--log-dhcp', '--log-facility=-'];
  const link = ['--interface=eth0', '--bind-interfaces', '--except-interface=lo'];
  const range = options.some((option) => option.startsWith('--dhcp-range='))
    ? []
    : ['--dhcp-range=10.50.0.50,10.50.0.99,255.255.255.0,2m'];
  const server = start(within(netns, ['dnsmasq', '-k', ...own, ...log, ...link, ...range, ...options]));
  await until('dnsmasq serves', () => server.log().includes('DHCP, IP range'));
  return server;
}

/** T1 and T2 in seconds, for dnsmasq, which gives no lease of less than two minutes. */
export function dnsmasqTimes(renew: number, rebind: number): readonly string[] {
  return [`--dhcp-option=option:T1,${renew}`, `--dhcp-option=option:T2,${rebind}`];
}

/** What is asked of Kea. Times are in seconds. */
export interface KeaOptions {
  readonly times: readonly [renew: number, rebind: number, expire: number];
  readonly pool?: string;
  readonly options?: readonly object[];
}

let keas = 0;

/** Starts Kea on the other host. */
export async function startKea({
  times,
  pool = '10.50.0.50 - 10.50.0.99',
  options = [],
}: KeaOptions): Promise<Running> {
  const [renew, rebind, expire] = times;
  const directory = `/run/kea${keas++}`;
  mkdirSync(directory);
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: ['eth0'], 'dhcp-socket-type': 'raw' },
      'lease-database': { type: 'memfile', persist: false },
      'renew-timer': renew,
      'rebind-timer': rebind,
      'valid-lifetime': expire,
      'calculate-tee-times': false,
      subnet4: [{ id: 1, subnet: '10.50.0.0/24', pools: [{ pool }], 'option-data': options }],
      loggers: [
        {
          name: 'kea-dhcp4',
          output_options: [{ output: 'stdout', flush: true }],
          severity: 'INFO',
        },
      ],
    },
  };
  const file = `${directory}/kea.json`;
  writeFileSync(file, JSON.stringify(config));
  const server = start(within(neighbour.netns, ['kea-dhcp4', '-c', file]), {
    KEA_PIDFILE_DIR: directory,
    KEA_LOCKFILE_DIR: directory,
  });
  await until('Kea serves', () => server.log().includes('DHCP4_STARTED'));
  return server;
}
