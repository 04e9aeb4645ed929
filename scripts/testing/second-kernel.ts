/**
 * The second kernel: Debian's user-mode Linux, booted on this machine's own files. It has what the machine's kernel
 * may lack (bridge vlan filtering, ipvlan, vlan, dummy, vrf, sctp), and lacks nf_tables families other than bridge.
 * One boot runs all its test files, one after the other.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dist } from '../../test/support/plugin.ts';
import { root, run } from '../process.ts';
import { bunTest, nameOf, testSeconds } from './bun-tests.ts';
import type { RootTestFile } from './files.ts';
import { type FileResult, judge } from './results.ts';

/** The Debian packages that it is made of. */
export const secondKernelPackages = ['user-mode-linux', 'kmod'];

/** How much slower it is: one core, and every system call goes through ptrace (measured: 3 to 4 times). */
const slowness = 5;

const bootSeconds = 60;

/** The files' results, and the kernel's release. */
export interface SecondKernelRun {
  readonly release: string;
  readonly files: readonly FileResult[];
}

/** Boots it, runs the files, and turns it off. A file that it never came to is a failed one, with the console's text. */
export async function runOnSecondKernel(
  files: readonly RootTestFile[],
  directory: string,
): Promise<SecondKernelRun> {
  const results = `${directory}/second-kernel`;
  mkdirSync(results, { recursive: true });
  writeFileSync(`${results}/jobs`, files.map((file) => `${jobOf(file, results)}\n`).join(''));
  const seconds = files.reduce((sum, file) => sum + file.seconds * slowness, bootSeconds);
  // That it cannot be started fails its files, and no others.
  const { output } = await run([...ownNetwork, 'linux.uml', ...commandLine(results)], {
    timeoutSeconds: seconds,
  }).catch((error: unknown) => ({ output: String(error) }));
  const release = read(`${results}/release`) ?? '(not booted)';
  return { release, files: files.map((file) => resultOf(file, results, output)) };
}

/** A line for second-kernel-init.sh: the name of its results, its seconds, and the command, which has no spaces in its words. */
function jobOf(file: RootTestFile, results: string): string {
  const command = bunTest([file.path], `${results}/${nameOf(file)}.xml`, testSeconds * slowness);
  return [nameOf(file), file.seconds * slowness, ...command].join(' ');
}

/** Its devices send on the loopback of a network namespace of their own. */
const ownNetwork = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

/** Two network cards with a cable between them: devices with a driver, a place on a bus and no kind, as real ones. */
const cards = [
  'eth0=ucast,02:00:00:00:00:61,127.0.0.1,40061,40062',
  'eth1=ucast,02:00:00:00:00:62,127.0.0.1,40062,40061',
];

/** What the kernel does not know of its command line becomes the environment of the init program. */
function commandLine(results: string): readonly string[] {
  return [
    ...['mem=1G', 'rootfstype=hostfs', 'rootflags=/', 'rw', 'con=null', 'con0=null,fd:1', 'quiet'],
    `uml_dir=${results}/`,
    ...cards,
    `init=${root}/scripts/testing/second-kernel-init.sh`,
    `FAIRLEAD_ROOT=${root}`,
    `FAIRLEAD_RESULTS=${results}`,
    `FAIRLEAD_DIST=${dist}`,
    `FAIRLEAD_TEST_SLOWNESS=${slowness}`,
  ];
}

function resultOf(file: RootTestFile, results: string, console: string): FileResult {
  const of = (what: string) => read(`${results}/${nameOf(file)}.${what}`);
  const code = of('code');
  const seconds = Number(of('seconds') ?? '0');
  const exitCode = code === undefined ? undefined : Number(code);
  // timeout(1) that kills is killed itself: 128 + SIGKILL.
  const timedOut = exitCode === 137;
  const output = code === undefined ? `${console}\n${of('output') ?? ''}` : (of('output') ?? '');
  return judge(
    file.path,
    [file.path],
    { exitCode, timedOut, output, seconds },
    `${results}/${nameOf(file)}.xml`,
  );
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
