/** The plugins of an attachment, as ADD was called with them, and whether they are those in this executable. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { findExecutable } from '../../cni/executable.ts';
import type { Result } from '../../cni/index.ts';
import {
  type CachedAttachment,
  type NetworkConfigurationList,
  parseNetwork,
} from '../../cni/runtime/index.ts';
import { isPluginName, type PluginName } from '../../plugins/names.ts';
import { decodeKeptResult } from '../kept-result.ts';

/** An attachment with what can be read of it. */
export interface Attached {
  readonly cached: CachedAttachment;
  /** As it was for ADD; undefined where what is kept cannot be read. */
  readonly network: NetworkConfigurationList | undefined;
  readonly result: Result;
}

/** Reads what is kept of an attachment; what cannot be read is as if it were not there. */
export function readAttached(cached: CachedAttachment): Attached {
  const attempt = <T>(read: () => T) => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  return {
    cached,
    network: attempt(() => parseNetwork(cached.config)),
    result: attempt(() => decodeKeptResult(cached.result ?? {})) ?? {},
  };
}

/** Where plugins are, and which file is `fairlead`. */
export interface PluginPlaces {
  readonly pluginPath: readonly string[];
  readonly executablePath: string | undefined;
}

/**
 * Whether the plugin that a runtime finds under this name is Fairlead's: only of that is known what it makes. It is this
 * very file, or the `fairlead` beside it, as `fairlead install` links the plugins' names.
 */
export function isOwnPlugin(type: string, { pluginPath, executablePath }: PluginPlaces): type is PluginName {
  if (!isPluginName(type)) return false;
  try {
    const file = realpathSync(findExecutable(type, pluginPath));
    const own = [`${dirname(file)}/fairlead`, executablePath].filter((path) => path !== undefined);
    return own.some((path) => isSameFile(file, path));
  } catch {
    return false;
  }
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}
