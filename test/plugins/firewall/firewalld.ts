/**
 * A firewalld of a test's own: Debian's, on a bus of its own at the usual place, which is in the test's mount namespace,
 * and with its configuration in a temporary directory. Its nftables are those of the test's network namespace.
 */
// packages: firewalld dbus
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { output, runProgram } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';

/** Where the system's bus listens. */
export const socket = '/run/dbus/system_bus_socket';

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>`;

let directory: string | undefined;
let running: Bun.Subprocess[] = [];

function start(argv: readonly string[]): void {
  running.push(Bun.spawn([...argv], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + limit(15);
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} took too long`);
    await Bun.sleep(50);
  }
}

/** Starts the bus alone. */
export async function startBus(): Promise<void> {
  directory = mkdtempSync(`${tmpdir()}/firewalld-`);
  mkdirSync('/run/dbus', { recursive: true });
  writeFileSync(`${directory}/bus.conf`, busConfig);
  start(['dbus-daemon', `--config-file=${directory}/bus.conf`, '--nofork', '--nopidfile']);
  const list = [
    'dbus-send',
    '--system',
    '--dest=org.freedesktop.DBus',
    '--print-reply',
    '/',
    'org.freedesktop.DBus.ListNames',
  ];
  await until('the bus', async () => (await runProgram(list)).exitCode === 0);
}

/** Starts the bus and firewalld. */
export async function startFirewalld(): Promise<void> {
  await startBus();
  const files = [`--system-config=${directory}/etc`, `--log-file=${directory}/log`];
  mkdirSync(`${directory}/etc`);
  start(['firewalld', '--nofork', '--nopid', ...files]);
  await until('firewalld', async () => (await runProgram(['firewall-cmd', '--state'])).exitCode === 0);
}

/** Ends both. */
export async function stopFirewalld(): Promise<void> {
  for (const child of running.reverse()) {
    child.kill();
    await child.exited;
  }
  running = [];
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
}

/** `firewall-cmd`, its output without the end of the line. */
export async function firewallCmd(...args: readonly string[]): Promise<string> {
  return (await output(['firewall-cmd', ...args])).trim();
}

/** The sources of a zone. */
export async function sources(zone = 'trusted'): Promise<string[]> {
  const listed = await firewallCmd(`--zone=${zone}`, '--list-sources');
  return listed === '' ? [] : listed.split(' ').sort();
}
