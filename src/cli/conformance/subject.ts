/** The plugin under test: what it is, and with which configuration it is tried. */
import type { JsonObject } from '../../cni/json.ts';
import { loadNetworkFile } from '../../cni/runtime/index.ts';
import type { CniVersion } from '../../cni/version.ts';
import { UsageError } from '../usage-error.ts';
import { defaultPrevResult, defaultSetup, type Setup } from './defaults.ts';
import type { Kind } from './rule.ts';

/** How a plugin is asked, before anything is known of it. */
export interface Asked {
  /** The executable. */
  readonly path: string;
  /** Its file's name. */
  readonly type: string;
  /** CNI_PATH. */
  readonly pluginPath: readonly string[];
  /** The environment that it inherits. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The network's name. */
  readonly name: string;
  readonly config: JsonObject;
  readonly ifname: string;
  /** What chained plugins get; `sandbox` of each interface in it is replaced. */
  readonly prevResult: JsonObject;
}

/** A plugin of which is known what it does and which versions it speaks. */
export interface Subject extends Asked {
  readonly kind: Kind;
  /** Oldest first; at least one. */
  readonly versions: readonly CniVersion[];
  /** The newest, in which most rules are tried. */
  readonly version: CniVersion;
}

/** What the command line says about the plugin. */
export interface Given {
  readonly type: string;
  /** A network configuration file. */
  readonly file: string | undefined;
  readonly kind: Kind | undefined;
  readonly ifname: string | undefined;
  readonly prevResult: JsonObject | undefined;
}

/** How the plugin is configured, and where that comes from. The kind is undefined where only trying can tell. */
export interface Chosen extends Pick<Asked, 'name' | 'config' | 'ifname' | 'prevResult'> {
  readonly kind: Kind | undefined;
  /** For the report. */
  readonly origin: string;
}

/** Chooses the configuration: of the file, or the default of the plugin's type, or nothing but the type. */
export function choose({ type, file, kind, ifname, prevResult = defaultPrevResult }: Given): Chosen {
  const known = defaultSetup(type);
  const { name, setup, origin } =
    file === undefined
      ? {
          name: 'conformance',
          setup: known,
          origin: known ? 'the default for this type' : 'none but the type',
        }
      : { ...fromFile(file, type), origin: file };
  const { capabilities: _, ...config }: JsonObject = { type, ...setup?.config };
  return {
    name,
    config,
    prevResult,
    origin,
    kind: kind ?? setup?.kind,
    ifname: ifname ?? setup?.ifname ?? known?.ifname ?? 'eth0',
  };
}

/** The plugin's section in a network. A plugin after the first is a chained one, one in `ipam` an IPAM plugin. */
function fromFile(
  file: string,
  type: string,
): { name: string; setup: Partial<Setup> & { config: JsonObject } } {
  const { name, plugins } = loadNetworkFile(file);
  const index = plugins.findIndex((plugin) => plugin.type === type);
  const own = plugins[index];
  if (own !== undefined) {
    return { name, setup: { config: own.json, ...(index > 0 && { kind: 'chained' }) } };
  }
  const user = plugins.find(({ json }) => (json.ipam as JsonObject | undefined)?.type === type);
  if (user !== undefined) return { name, setup: { config: user.json, kind: 'ipam' } };
  const types = plugins.map((plugin) => plugin.type).join(', ');
  throw new UsageError(
    `--config ${file} has no plugin of type \`${type}\`, which is PATH's name; it has ${types}`,
  );
}
