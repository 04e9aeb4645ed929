/** What `inspect` and `debug` are about: from what a person types to attachments and a namespace. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CniError } from '../../cni/index.ts';
import { createResultCache } from '../../cni/runtime/cache.ts';
import type { CachedAttachment } from '../../cni/runtime/index.ts';

/** A container or a namespace. */
export interface Subject {
  /** Its attachments in the result cache. */
  readonly attachments: readonly CachedAttachment[];
  /** The path of its namespace; empty where the cache does not say it. */
  readonly netns: string;
}

/** The Pod that the runtime says an attachment is of, as `NAMESPACE/NAME`; undefined where it says none. */
export function podOf({ args }: CachedAttachment): string | undefined {
  const value = (key: string) => args.find(([name]) => name === key)?.[1];
  const name = value('K8S_POD_NAME');
  return name === undefined ? undefined : `${value('K8S_POD_NAMESPACE') ?? 'default'}/${name}`;
}

/**
 * Finds what is meant: a container id, its beginning or what follows a `-` in it, a Pod as `NAMESPACE/NAME` or its name, the path of a namespace or its
 * name in /run/netns. Throws a `CniError` where nothing, or more than one container, is meant.
 */
export function findSubject(text: string, cacheDir: string): Subject {
  const all = createResultCache(cacheDir).list();
  const path = text.includes('/') ? resolve(text) : `/run/netns/${text}`;
  const ways: readonly ((one: CachedAttachment) => boolean)[] = [
    ({ containerId }) => containerId === text,
    (one) => podOf(one) === text,
    ({ netns }) => isSameFile(netns, path),
    (one) => podOf(one)?.endsWith(`/${text}`) === true,
    ({ containerId }) => containerId.startsWith(text),
    // containerd's `ctr` puts its namespace before the container's name.
    ({ containerId }) => containerId.endsWith(`-${text}`),
  ];
  for (const isMeant of ways) {
    const attachments = all.filter(isMeant);
    const [first] = attachments;
    if (first === undefined) continue;
    const ids = [...new Set(attachments.map(({ containerId }) => containerId))];
    if (ids.length > 1) throw ambiguous(text, ids);
    return { attachments, netns: first.netns };
  }
  if (existsSync(path)) return { attachments: [], netns: path };
  throw new CniError(
    'unknownContainer',
    `there is no container, Pod or network namespace "${text}"`,
    `neither ${path} nor an attachment in ${cacheDir}; \`fairlead list\` shows what there is`,
  );
}

function ambiguous(text: string, ids: readonly string[]): CniError {
  return new CniError(
    'unknownContainer',
    `"${text}" may be any of ${ids.length} containers`,
    ids.slice(0, 8).join(', '),
  );
}

/** /run/netns and /var/run/netns lead to the same files. */
function isSameFile(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
