import type { JsonObject } from '../json.ts';
import type { CniVersion } from '../version.ts';

/** One plugin of a network, as configured (SPEC section 1, "Plugin configuration objects"). */
export interface PluginConfiguration {
  /** The name of the executable: one path component. */
  readonly type: string;
  /** The capabilities it declares as supported; only their arguments are handed to it. */
  readonly capabilities: readonly string[];
  /** Everything as written; what the runtime does not know goes to the plugin unchanged. */
  readonly json: JsonObject;
}

/** A network: plugins that are called one after the other for every attachment (SPEC section 1). */
export interface NetworkConfigurationList {
  readonly name: string;
  /** The highest version that both the configuration and this runtime speak. */
  readonly cniVersion: CniVersion;
  /** CHECK is not to be called. */
  readonly disableCheck: boolean;
  /** GC is not to be called. */
  readonly disableGC: boolean;
  /** At least one plugin, in the order of ADD. */
  readonly plugins: readonly [PluginConfiguration, ...PluginConfiguration[]];
  /** The list as it was written (a single plugin: as the list made of it), which the result cache keeps. */
  readonly bytes: Uint8Array;
  /** The file it came from, where it came from one. */
  readonly file?: string;
}
