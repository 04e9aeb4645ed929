/** The suite checks itself: whatever the tests did, the machine is as it was. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { diff, snapshot } from '../../test/support/node.ts';

/** A variable in the environment of everything that this run starts: what is left running is found by it. */
const mark = 'FAIRLEAD_TEST_RUN';
const markValue = `${process.pid}-${Date.now()}`;

/** Marks what is started from now on. */
export function markProcesses(): void {
  process.env[mark] = markValue;
}

let temporary: string | undefined;

/** Makes what is started from now on put its temporary files into a new directory, where those that stay are seen. */
export function useTemporaryDirectory(path: string): void {
  mkdirSync(path, { mode: 0o1777 });
  process.env.TMPDIR = path;
  temporary = path;
}

function temporaryFiles(): readonly string[] {
  return temporary === undefined ? [] : readdirSync(temporary).map((name) => `temporary file ${name}`);
}

/** The machine's facts as lines: those of a node, and mounts (a bound namespace is one). */
export async function machine(): Promise<readonly string[]> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return [...(await snapshot()), ...mounts.map((line) => `mount ${line}`)];
}

/** What is different now, and what still runs or lies around, a line each. Addresses and routes that routers announce come and go by themselves. */
export async function leftBehind(before: readonly string[]): Promise<readonly string[]> {
  const changed = diff(before, await machine(), /"(dynamic":true|protocol":"(ra|dhcp)")/);
  return [...changed, ...marked(), ...temporaryFiles()];
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** Reads from /proc/PID; undefined where the process has ended meanwhile. */
function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The processes, other than this one, that carry the mark. */
function marked(): readonly string[] {
  return processes().flatMap((pid) => {
    const environment = ofProcess(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? '';
    if (Number(pid) === process.pid || !environment.includes(`${mark}=${markValue}`)) return [];
    const command = ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1')) ?? '';
    return command === '' ? [] : [`process ${pid}: ${command.replaceAll('\0', ' ')}`];
  });
}
