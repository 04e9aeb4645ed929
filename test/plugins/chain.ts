/** Chained plugins' tests: a container with an interface that bridge made, and the plugin that comes after. */
import { type Container, createContainer, ip, removeContainers } from '../support/container.ts';
import { type AddResult, add, del, failure, type NamedCall, type PluginError } from '../support/plugin.ts';

/** A container of bridge, and calls of the plugin after it. */
export interface Chained {
  readonly container: Container;
  /** bridge's result. */
  readonly before: AddResult;
  /** The name of the node's end. */
  readonly hostName: string;
  /** What the plugin is called with, without and with the result of its own ADD. */
  readonly call: NamedCall;
  withResult(prevResult: object | undefined): NamedCall;
  /** The plugin's own ADD; the result, and CHECK's and DEL's configuration. */
  add(): Promise<AddResult>;
  /** The error of CHECK after ADD, as one line; empty where there is none. */
  problems(prevResult: object): Promise<string>;
  removeInterface(): Promise<void>;
}

/** A configuration of a chained plugin. */
export interface ChainedConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

let count = 0;

/** A bridge network that no other test has, as far as it is wanted; IPv4 and IPv6. */
function bridgeConfig(name: string, keys: object) {
  count++;
  const ipam = {
    type: 'static',
    addresses: [
      { address: `10.${count}.0.2/24`, gateway: `10.${count}.0.1` },
      { address: `fd00:${count}::2/64`, gateway: `fd00:${count}::1` },
    ],
  };
  const config = { cniVersion: '1.0.0', name, type: 'bridge', bridge: `chain${count}`, ipam };
  return { ...config, isGateway: true, ...keys };
}

/** Attaches a new container (or one that is there, by another interface), for a plugin that comes after bridge. */
export async function chainAfterBridge(
  own: ChainedConfig,
  call: Partial<NamedCall> = {},
  keys: object = {},
): Promise<Chained> {
  const container = call.container ?? createContainer();
  const name = `${own.type}-${++count}`;
  const ifname = call.ifname ?? 'eth0';
  const bridge = { plugin: 'bridge', container, ifname, config: bridgeConfig(name, keys) };
  const before = await add(bridge);
  const withResult = (prevResult: object | undefined): NamedCall => ({
    ...call,
    plugin: own.type,
    container,
    ifname,
    config: { cniVersion: '1.0.0', name, ...own, ...(prevResult && { prevResult }) },
  });
  const made = withResult(before);
  return {
    container,
    before,
    hostName: before.interfaces?.[1]?.name ?? '',
    call: made,
    withResult,
    add: () => add(made),
    problems: async (prevResult) => {
      try {
        const { msg, details = '' } = await failure({ ...withResult(prevResult), command: 'CHECK' });
        return details === '' ? msg : `${msg}; ${details}`;
      } catch (error) {
        if (/exit code 0/.test(String(error))) return '';
        throw error;
      }
    },
    removeInterface: () => del(bridge),
  };
}

/** The error of a plugin's ADD. */
export function refusedAdd({ call }: Chained): Promise<PluginError> {
  return failure({ ...call, command: 'ADD' });
}

/** After a test: removes containers, what leads into them, and bridges. */
export async function removeChains(): Promise<void> {
  for (const kind of ['veth', 'bridge', 'ifb']) {
    for (const { ifname } of await ip(undefined, 'link', 'show', 'type', kind))
      await Bun.$`ip link delete ${String(ifname)}`.nothrow().quiet(); // a pair goes together
  }
  removeContainers();
}
