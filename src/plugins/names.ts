/** The plugins in this executable, each loaded only when it is called: a plugin's start pays for itself alone. */
import type { Plugin, Resolve } from '../cni/index.ts';
import { isSameFile } from '../kernel/sys/file.ts';

const loaders = {
  bandwidth: async () => (await import('./meta/bandwidth/plugin.ts')).plugin,
  bridge: async () => (await import('./main/bridge/plugin.ts')).plugin,
  dhcp: async () => (await import('./ipam/dhcp/plugin.ts')).plugin,
  dummy: async () => (await import('./main/dummy/plugin.ts')).plugin,
  firewall: async () => (await import('./meta/firewall/plugin.ts')).plugin,
  'host-device': async () => (await import('./main/host-device/plugin.ts')).plugin,
  'host-local': async () => (await import('./ipam/host-local/plugin.ts')).plugin,
  ipvlan: async () => (await import('./main/ipvlan/plugin.ts')).plugin,
  loopback: async () => (await import('./main/loopback/plugin.ts')).plugin,
  macvlan: async () => (await import('./main/macvlan/plugin.ts')).plugin,
  portmap: async () => (await import('./meta/portmap/plugin.ts')).plugin,
  ptp: async () => (await import('./main/ptp/plugin.ts')).plugin,
  sbr: async () => (await import('./meta/sbr/plugin.ts')).plugin,
  static: async () => (await import('./ipam/static/plugin.ts')).plugin,
  tap: async () => (await import('./main/tap/plugin.ts')).plugin,
  tuning: async () => (await import('./meta/tuning/plugin.ts')).plugin,
  vlan: async () => (await import('./main/vlan/plugin.ts')).plugin,
  vrf: async () => (await import('./meta/vrf/plugin.ts')).plugin,
} satisfies Readonly<Record<string, () => Promise<Plugin>>>;

/** The type of a plugin in this executable. */
export type PluginName = keyof typeof loaders;

/** Their types, sorted: the links that a CNI bin directory holds. */
export const pluginNames = Object.keys(loaders).sort() as readonly PluginName[];

/** Whether a plugin of this type is in this executable. */
export function isPluginName(type: string): type is PluginName {
  return Object.hasOwn(loaders, type);
}

/** Loads a plugin. */
export function loadPlugin(name: PluginName): Promise<Plugin> {
  return loaders[name]();
}

/** The executable's own name in a bin directory. */
export const executableName = 'fairlead';

/** The program that is beside the executable where `fairlead serve` does the calls: a plugin's name leads to it there. */
export const callerName = 'fairlead-call';

/** Whether a file is this executable, or the program beside it that would hand over to it. Throws SystemError. */
export function isOwnExecutable(path: string, executable: string): boolean {
  const beside = `${executable.slice(0, executable.lastIndexOf('/') + 1)}${callerName}`;
  return isSameFile(path, executable) || isSameFile(path, beside);
}

/** A plugin found on CNI_PATH that is this very file is called in process. Nobody can tell, except by the clock. */
export const resolveInProcess: Resolve = (type, executablePath) =>
  isPluginName(type) && isOwnExecutable(executablePath, process.execPath)
    ? () => loadPlugin(type)
    : undefined;
