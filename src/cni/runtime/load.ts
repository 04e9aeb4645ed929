import { dirname, join } from 'node:path';
import { CniError } from '../error.ts';
import { isJsonObject, type JsonObject, member } from '../json.ts';
import { findFiles } from './find.ts';
import { goJson } from './go-json.ts';
import type { NetworkConfigurationList, PluginConfiguration } from './network.ts';
import { type ConfigurationProblem, type ParsedList, parseList, parsePlugin } from './parse.ts';
import { type LoadProblem, loadError, parseSource, readSource } from './source.ts';

/** The networks of a folder, and everything that is wrong in it. */
export interface LoadedNetworks {
  /** In the order in which `loadNetwork` looks at them; of several with one name only the first. */
  readonly networks: readonly NetworkConfigurationList[];
  readonly problems: readonly LoadProblem[];
}

/**
 * The network of a configuration file. A `.conflist` holds a list; any other file holds one plugin, of which a list is
 * made as libcni does (`ConfListFromConf`). To a list the plugins of `<its folder>/<its name>/*.conf` are added, in the
 * order of their names, unless it says `loadOnlyInlinedPlugins` (SPEC section 1).
 * Throws a `CniError` that names file, line and everything that is wrong: code 5, 6, 7, or 1 for the version.
 */
export function loadNetworkFile(file: string): NetworkConfigurationList {
  return orThrow((report) => inspectNetworkFile(file, report));
}

/** As `loadNetworkFile`, but reports what is wrong: undefined if there is anything. */
export function inspectNetworkFile(
  file: string,
  report: LoadProblem[],
): NetworkConfigurationList | undefined {
  const source = readSource(file, report);
  if (source === undefined) return undefined;
  if (!file.endsWith('.conflist')) {
    const single = parseSource(source, parseSingle, report);
    return single && complete(single, encode(listOf(single.plugins[0]?.json ?? {})), file, report);
  }
  const list = parseSource(source, parseList, report);
  if (list === undefined) return undefined;
  const beside = list.loadOnlyInlinedPlugins ? [] : loadPlugins(join(dirname(file), list.name), report);
  return beside && complete({ ...list, plugins: [...list.plugins, ...beside] }, source.bytes, file, report);
}

/** The network of a list's bytes. There is no file, so no plugins beside it. Throws as `loadNetworkFile`. */
export function parseNetwork(bytes: Uint8Array): NetworkConfigurationList {
  return orThrow((report) => {
    const list = parseSource({ bytes, file: undefined }, parseList, report);
    return list && complete(list, bytes, undefined, report);
  });
}

/**
 * The network of this name in a folder, found as libcni does (`LoadNetworkConf`): the `.conflist` files by name, then
 * the `.conf` and `.json` files by name; the first that has the name. Throws a `CniError`: (7) if there is none, and at
 * a file before it whose network has no name that can be read, since that file may have been meant.
 */
export function loadNetwork(folder: string, name: string): NetworkConfigurationList {
  const others: string[] = [];
  for (const file of filesInLookupOrder(folder)) {
    const found = nameIn(file);
    if (found === undefined || found === name) return loadNetworkFile(file);
    others.push(found);
  }
  const there = others.length === 0 ? 'it has no network configurations' : `it has ${others.join(', ')}`;
  throw new CniError('invalidConfig', `no network "${name}" in ${folder}`, there);
}

/** The name of a file's network, whatever else may be wrong with it. */
function nameIn(file: string): string | undefined {
  const source = readSource(file, []);
  const name = source && parseSource(source, (json) => isJsonObject(json) && member(json, 'name'), []);
  return typeof name === 'string' ? name : undefined;
}

/**
 * The network that containerd attaches Pods to: that of the first file by name among `.conf`, `.conflist` and
 * `.json` (go-cni `loadFromConfDir`). Throws a `CniError`: (7) if there is no file, and if the first is not right.
 */
export function loadFirstNetwork(folder: string): NetworkConfigurationList {
  const [first] = findFiles(folder, ['.conf', '.conflist', '.json']);
  if (first === undefined) throw new CniError('invalidConfig', `no network configurations in ${folder}`);
  return loadNetworkFile(first);
}

/** Every network of a folder; a file that is not right is reported, and does not hide the others. */
export function loadNetworks(folder: string): LoadedNetworks {
  const networks = new Map<string, NetworkConfigurationList>();
  const problems: LoadProblem[] = [];
  for (const file of filesInLookupOrder(folder)) {
    const network = inspectNetworkFile(file, problems);
    if (network === undefined) continue;
    const earlier = networks.get(network.name);
    if (earlier === undefined) networks.set(network.name, network);
    else {
      const message = `never used: ${earlier.file} is found first and has the same \`name\`, "${network.name}"`;
      problems.push({ file, code: 'invalidConfig', message });
    }
  }
  return { networks: [...networks.values()], problems };
}

function filesInLookupOrder(folder: string): string[] {
  return [...findFiles(folder, ['.conflist']), ...findFiles(folder, ['.conf', '.json'])];
}

function loadPlugins(folder: string, report: LoadProblem[]): PluginConfiguration[] | undefined {
  const before = report.length;
  const plugins: PluginConfiguration[] = [];
  for (const file of findFiles(folder, ['.conf'])) {
    const source = readSource(file, report);
    const plugin = source && parseSource(source, parsePlugin, report);
    if (plugin !== undefined) plugins.push(plugin);
  }
  return report.length === before ? plugins : undefined;
}

function parseSingle(json: unknown, problems: ConfigurationProblem[]): ParsedList | undefined {
  if (!isJsonObject(json)) return parseList(json, problems);
  if (member(json, 'type') === undefined && member(json, 'plugins') !== undefined) {
    const message = 'makes this a list, but only a file whose name ends in .conflist may hold one';
    problems.push({ path: ['plugins'], message, code: 'invalidConfig' });
    return undefined;
  }
  // The plugin first and by itself: what is wrong with it is reported where it stands in the file.
  return parsePlugin(json, problems) && parseList(listOf(json), problems);
}

/** The list that a single plugin stands for; only its name and version become the list's. */
function listOf(plugin: JsonObject): JsonObject {
  return { cniVersion: member(plugin, 'cniVersion') ?? '', name: member(plugin, 'name'), plugins: [plugin] };
}

function complete(
  list: ParsedList,
  bytes: Uint8Array,
  file: string | undefined,
  report: LoadProblem[],
): NetworkConfigurationList | undefined {
  const { name, cniVersion, disableCheck, disableGC } = list;
  const [first, ...others] = list.plugins;
  if (first === undefined) {
    const where = file === undefined ? '' : ` and no ${join(dirname(file), name, '*.conf')}`;
    report.push({ file, code: 'invalidConfig', message: `network "${name}" has no \`plugins\`${where}` });
    return undefined;
  }
  const network = { name, cniVersion, disableCheck, disableGC, plugins: [first, ...others], bytes } as const;
  return file === undefined ? network : { ...network, file };
}

function encode(json: JsonObject): Uint8Array {
  return new TextEncoder().encode(goJson(json));
}

function orThrow<T>(load: (report: LoadProblem[]) => T | undefined): T {
  const report: LoadProblem[] = [];
  const loaded = load(report);
  if (loaded === undefined) throw loadError(report);
  return loaded;
}
