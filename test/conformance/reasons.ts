/**
 * Why the reference plugins (containernetworking/plugins v1.1.1) break rules, read in their source and in that of the
 * library that they are built with (containernetworking/cni v1.0.1, in their vendor directory).
 */

/** By rule, or by rule and plugin where plugins differ. */
const reasons: Readonly<Record<string, string>> = {
  'version-echo':
    'The library answers with its own newest version, and does not read the input (`PluginSupports` in pkg/version/plugin.go, `getCmdArgsFromEnv` in pkg/skel/skel.go).',
  'error-version': "The library's error object has no such member (`types.Error` in pkg/types/types.go).",
  'env-command':
    'Without CNI_COMMAND the library prints who it is on standard error and ends with 0, for a person at a terminal; it does not look whether there is one (`pluginMain` in pkg/skel/skel.go).',
  'add-path-optional':
    'The library requires CNI_PATH for ADD, DEL and CHECK, whether the plugin delegates or not (`getCmdArgsFromEnv` in pkg/skel/skel.go).',
  'result-shape/loopback':
    'The result is printed by hand with the version of the configuration set, so that the conversion to 0.1.0 finds nothing to convert (`cmdAdd` in plugins/main/loopback/loopback.go).',
  'check-gateway':
    "CHECK looks for a route whose next hop is the route's own `gw`, also where that is empty (`ValidateExpectedRoute` in pkg/ip/utils_linux.go).",
  'check-later-plugins':
    "For each address CHECK wants a route to the address's own network; an address with a /32 has none (`ValidateExpectedInterfaceIPs` in pkg/ip/utils_linux.go).",
  'check-passes/portmap':
    'CHECK wants the rules of both IPv4 and IPv6 where both ip(6)tables are installed; ADD makes those of the families that the container has (`checkPorts` in plugins/meta/portmap/portmap.go).',
  'del-leaves-nothing/sbr':
    'DEL removes the rules, and leaves the routes in the table (`tidyRules` in plugins/meta/sbr/main.go).',
  'del-netns-gone/sbr':
    "DEL locks the namespace's file, which makes an empty file where it is gone, and fails since that is no namespace (`withLockAndNetNS` in plugins/meta/sbr/main.go).",
  'del-netns-empty/sbr': 'As `del-netns-gone`: an empty path cannot be locked.',
  'del-twice/host-device':
    'DEL fails where the device is not in the container any more (`moveLinkOut` in plugins/main/host-device/host-device.go).',
  'del-never-added/host-device': 'As `del-twice`.',
  'del-interface-gone/host-device': 'As `del-twice`.',
  'del-netns-gone/host-device':
    'DEL fails where the namespace cannot be opened (`cmdDel` in plugins/main/host-device/host-device.go), and the address stays reserved.',
};

/** The reason. @throws Error where there is none: a new failure has to be understood first */
export function reasonFor(rule: string, plugin: string): string {
  const reason = reasons[`${rule}/${plugin}`] ?? reasons[rule];
  if (reason === undefined) throw new Error(`no reason is known why ${plugin} breaks ${rule}`);
  return reason;
}
