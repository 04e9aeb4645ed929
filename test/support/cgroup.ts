/**
 * Control groups of the tests' own, which their containers are put below. The rest of a sandbox goes with its
 * namespaces; these are the machine's, so they are removed one by one.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { eventually } from './eventually.ts';

const mounted = '/sys/fs/cgroup';
const prefix = 'fairlead-test-';

/** What killed test runs left is removed when it is this old, in milliseconds: no run takes that long. */
const staleAge = 600_000;

/** A name for a control group, as a path below each hierarchy's root. */
export function createCgroup(): string {
  const isStale = (name: string) =>
    name.startsWith(prefix) && Number(name.split('-').at(-1)) < Date.now() - staleAge;
  for (const path of groups(isStale)) removeTree(path);
  return `/${prefix}${randomBytes(4).toString('hex')}-${Date.now()}`;
}

/** Ends what still runs in it, which is nothing if all went well, and removes it from every hierarchy. */
export async function emptyCgroup(cgroup: string): Promise<void> {
  await eventually(`the control group ${cgroup} is gone`, async () => {
    for (const path of groups((name) => `/${name}` === cgroup)) {
      for (const pid of processesBelow(path)) process.kill(pid, 'SIGKILL');
      removeTree(path);
    }
    return !hasCgroup(cgroup);
  });
}

function processesBelow(path: string): readonly number[] {
  const own = readFileSync(`${path}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  return [...own, ...subdirectories(path).flatMap(processesBelow)];
}

/** Whether a control group is there, in any hierarchy. */
export function hasCgroup(cgroup: string): boolean {
  return groups((name) => `/${name}` === cgroup).length > 0;
}

/** Directly below the mount point with version 2, and below a directory for each hierarchy with version 1. */
function groups(isWanted: (name: string) => boolean): readonly string[] {
  const parents = [mounted, ...subdirectories(mounted)];
  return parents.flatMap((parent) =>
    subdirectories(parent).filter((path) => isWanted(path.slice(parent.length + 1))),
  );
}

function subdirectories(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${path}/${name}`);
}

/** A group's files go with it. One that is in use stays. */
function removeTree(path: string): void {
  for (const child of subdirectories(path)) removeTree(child);
  try {
    rmdirSync(path);
  } catch {
    // A process is in it: another test run's, or one that is just ending.
  }
}
