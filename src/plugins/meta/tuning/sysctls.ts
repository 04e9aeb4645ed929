/** The settings under /proc/sys/net of a container, by the names that configurations have. */

import type { NetworkNamespace } from '../../../kernel/netns/netns.ts';
import { readSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';

/** A setting that is to have a value. */
export interface Sysctl {
  /** As the configuration names it: what the allow-list is about. */
  readonly key: string;
  /** The file below /proc/sys. */
  readonly path: string;
  readonly value: string;
}

/**
 * The file below /proc/sys of a configuration's key, as the reference has it: dots and slashes both separate, and the
 * first `IFNAME` is the interface, whose name may have dots. Undefined for what is no setting of the network.
 */
export function settingOf(key: string, ifname = 'IFNAME'): string | undefined {
  const parts = key.split(/[./]+/).filter((part) => part !== '');
  const isSetting = parts[0] === 'net' && parts.length > 1 && !/[\s\p{Cc}]/u.test(key);
  return isSetting ? parts.join('/').replace('IFNAME', () => ifname) : undefined;
}

/** Sets them in order; `changed` is told what each was before the next is tried. Throws SysctlError. */
export function applySysctls(
  sysctls: readonly Sysctl[],
  netns: NetworkNamespace,
  changed: (path: string, before: string) => void,
): void {
  for (const { path, value } of sysctls) {
    const before = setSysctl(path, value, { netns });
    if (before !== undefined) changed(path, before);
  }
}

/** What differs, in words. A setting that cannot be read (`flush`) has no value to differ. */
export function sysctlProblems(sysctls: readonly Sysctl[], netns: NetworkNamespace): string[] {
  return sysctls.flatMap(({ path, value }) => {
    const found = read(path, netns);
    if (found === 'unreadable' || words(found ?? '') === words(value)) return [];
    const is = found === undefined ? 'is not there' : `is ${JSON.stringify(found)}`;
    return [`sysctl ${path} ${is}, it should be ${JSON.stringify(value)}`];
  });
}

/** Undefined for a setting that is not there: its interface is gone. */
function read(path: string, netns: NetworkNamespace): string | undefined {
  try {
    return readSysctl(path, { netns, ifSupported: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EACCES') return 'unreadable';
    throw error;
  }
}

/** Values of several numbers are the same whatever stands between them. */
function words(value: string): string {
  return value.trim().replaceAll(/\s+/g, ' ');
}
