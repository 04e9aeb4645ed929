/** The plugins of an attachment, as ADD was called with them, and whether they are those in this executable. */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { findExecutable } from '../../cni/executable.ts';
import type { Result } from '../../cni/index.ts';
import {
  type CachedAttachment,
  type NetworkConfigurationList,
  parseNetwork,
} from '../../cni/runtime/index.ts';
import { executableName, isOwnExecutable, isPluginName, type PluginName } from '../../plugins/names.ts';
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
 * very file, or the `fairlead` beside it, or what hands over to one of them, as `fairlead install` links the plugins' names.
 */
export function isOwnPlugin(type: string, { pluginPath, executablePath }: PluginPlaces): type is PluginName {
  if (!isPluginName(type)) return false;
  try {
    const file = realpathSync(findExecutable(type, pluginPath));
    const own = [`${dirname(file)}/${executableName}`, executablePath].filter((path) => path !== undefined);
    return own.some((path) => isOwnExecutable(file, path));
  } catch {
    return false;
  }
}
