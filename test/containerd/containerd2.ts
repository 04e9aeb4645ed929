/**
 * A containerd of the 2.x series next to Debian's 1.6, which refuses results of CNI 1.1.0. It is compiled with Go from
 * its release on the Go module proxy, once: `npm test` does so before the tests, in .cache/.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { go, hasGo } from '../support/go.ts';

const version = '2.0.5';
/** What its go.mod asks for. */
const goVersion = '1.23';
const module = 'github.com/containerd/containerd/v2';
const cache = `${root}/.cache`;
const programs = ['containerd', 'containerd-shim-runc-v2'];

/** The directory of its programs. */
export const containerd2Programs = `${cache}/containerd-${version}`;

/** Why it is not there; undefined where it is. */
export const withoutContainerd2 = existsSync(containerd2Programs)
  ? undefined
  : `no containerd ${version}: compiling it takes Go ${goVersion} and the network`;

/**
 * Compiles it, where that has not been done and this machine has a Go that can. Where that fails, for there is no
 * network, it is said, and the tests with it are skipped: they say so too.
 */
export async function prepare(say: (line: string) => void): Promise<void> {
  if (existsSync(containerd2Programs) || !(await hasGo(goVersion))) return;
  say(`compiling containerd ${version} from the Go module proxy, once, some minutes ...`);
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(`${cache}/containerd-`);
  try {
    const packages = programs.map((name) => `${module}/cmd/${name}`);
    const inside = (...args: readonly string[]) => go(['-C', directory, ...args], 600);
    await inside('mod', 'init', 'fairlead.test/containerd');
    await inside('get', ...packages.map((name) => `${name}@v${version}`));
    await inside('build', '-tags=no_btrfs,no_zfs,no_devmapper', `-o=${directory}/bin/`, ...packages);
    renameSync(`${directory}/bin`, containerd2Programs);
  } catch (error) {
    say(`containerd ${version} cannot be compiled: ${String(error).trimEnd()}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
