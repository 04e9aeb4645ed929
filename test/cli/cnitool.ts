/**
 * `cnitool` of containernetworking/cni, whose options, container ids and result cache Fairlead shares. It is compiled
 * with Go from its release on the Go module proxy, once: `npm test` does so before the tests, in .cache/.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { go, hasGo } from '../support/go.ts';

const version = '1.3.0';
/** What its go.mod asks for. */
const goVersion = '1.21';
const cache = `${root}/.cache`;

/** Its executable. */
export const cnitool = `${cache}/cnitool-${version}`;

/** Why it is not there; undefined where it is. */
export const withoutCnitool = existsSync(cnitool)
  ? undefined
  : `no cnitool ${version}, which takes Go ${goVersion} to compile`;

/** Compiles it, where that has not been done and this machine has a Go that can. @throws Error with Go's output */
export async function prepare(say: (line: string) => void): Promise<void> {
  if (existsSync(cnitool) || !(await hasGo(goVersion))) return;
  say(`compiling cnitool ${version} from the Go module proxy, once ...`);
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(`${cache}/cnitool-build-`);
  try {
    const env = { GOFLAGS: '-mod=mod', GOBIN: directory };
    await go(['install', `github.com/containernetworking/cni/cnitool@v${version}`], 300, env);
    renameSync(`${directory}/cnitool`, cnitool);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
