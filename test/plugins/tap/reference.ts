/**
 * The reference's `tap` and the IPAM plugin that it is tried with: Debian's release has no tap. They are compiled with Go from
 * their release on the Go module proxy, once: `npm test` does so before the tests, in .cache/.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { root } from '../../../scripts/process.ts';
import { go, hasGo } from '../../support/go.ts';

const version = '1.9.1';
/** What its go.mod asks for. */
const goVersion = '1.24';
const cache = `${root}/.cache`;

/** Their directory. */
export const referenceWithTap = `${cache}/reference-${version}`;

/** Why it is not there; undefined where it is. */
export const withoutReference = existsSync(referenceWithTap)
  ? undefined
  : `no plugins of the reference's ${version}, which take Go ${goVersion} to compile`;

/** Compiles them, where that has not been done and this machine has a Go that can. @throws Error with Go's output */
export async function prepare(say: (line: string) => void): Promise<void> {
  if (existsSync(referenceWithTap) || !(await hasGo(goVersion))) return;
  say(`compiling tap of the reference's ${version} from the Go module proxy, once ...`);
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(`${cache}/reference-build-`);
  try {
    const plugins = ['main/tap', 'ipam/static'];
    const paths = plugins.map((one) => `github.com/containernetworking/plugins/plugins/${one}@v${version}`);
    await go(['install', ...paths], 300, { GOFLAGS: '-mod=mod', GOBIN: directory });
    renameSync(directory, referenceWithTap);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
