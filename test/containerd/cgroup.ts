/**
 * Control groups of the tests' own, which their containers are put below. The rest of a sandbox goes with its
 * namespaces; these are the machine's, so they are removed one by one.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmdirSync } from 'node:fs';

const mounted = '/sys/fs/cgroup';
const prefix = 'fairlead-test-';

/** What killed test runs left is removed when it is this old, in milliseconds: no run takes that long. */
const staleAge = 3_600_000;

/** A name for a control group, as a path below each hierarchy's root. */
export function createCgroup(): string {
  const isStale = (name: string) =>
    name.startsWith(prefix) && Number(name.split('-').at(-1)) < Date.now() - staleAge;
  for (const path of groups(isStale)) removeTree(path);
  return `/${prefix}${randomBytes(4).toString('hex')}-${Date.now()}`;
}

/** Removes it from every hierarchy. @returns the paths of those that cannot be, for a process is still in them */
export function removeCgroup(cgroup: string): readonly string[] {
  const own = () => groups((name) => `/${name}` === cgroup);
  for (const path of own()) removeTree(path);
  return own();
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
    // A process is in it: another test run's, or one that the caller will hear of.
  }
}
