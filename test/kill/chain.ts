/** A network's plugins, called one after the other as a runtime does (SPEC.md section 3). */
import { type Container, createContainer } from '../support/container.ts';
import { type AddResult, add, del, gc, type PluginCall } from '../support/plugin.ts';
import { settled } from './facts.ts';

/** A plugin of the chain. */
export interface Plugin {
  readonly type: string;
  /** The file that is run, where it is not the type's: host-local has the configuration of the plugin that calls it. */
  readonly executable?: string;
  readonly [key: string]: unknown;
}

/** A network, and the name of the interfaces by which containers are attached to it. */
export interface Network {
  readonly ifname: string;
  readonly plugins: readonly Plugin[];
}

/** A call of a plugin of the network `net`, with the result of the one before or of the whole chain. */
function callOf(
  { ifname }: Network,
  command: string,
  { executable, ...plugin }: Plugin,
  container?: Container,
  prevResult?: object,
): PluginCall {
  const config = { cniVersion: '1.1.0', name: 'net', ...plugin, ...(prevResult && { prevResult }) };
  return {
    plugin: executable ?? plugin.type,
    command,
    config,
    ifname,
    ...(container && { container }),
  };
}

function last({ plugins }: Network): Plugin {
  const plugin = plugins.at(-1);
  if (plugin === undefined) throw new Error('a network without plugins');
  return plugin;
}

/** ADD of all plugins but the last, whose call is returned. */
export async function addUpToLast(network: Network, container: Container): Promise<PluginCall> {
  let result: AddResult | undefined;
  for (const plugin of network.plugins.slice(0, -1))
    result = await add(callOf(network, 'ADD', plugin, container, result));
  return callOf(network, 'ADD', last(network), container, result);
}

/** ADD of all plugins. */
export async function attach(network: Network, container: Container): Promise<AddResult> {
  return add(await addUpToLast(network, container));
}

/** DEL of all plugins; without the result where ADD gave none. */
export async function detach(network: Network, container: Container, result?: AddResult): Promise<void> {
  for (const plugin of network.plugins.toReversed())
    await del(callOf(network, 'DEL', plugin, container, result));
}

/** DEL of the last plugin, which is the first that is called. */
export function delOfLast(network: Network, container: Container, result: AddResult): PluginCall {
  return callOf(network, 'DEL', last(network), container, result);
}

/** GC of all plugins: the container named `neighbour` is valid, no other is. */
export async function collect(network: Network): Promise<void> {
  for (const plugin of network.plugins) await gc(gcOf(network, plugin));
}

/** GC of one plugin, of the last if left out. */
export function gcOf(network: Network, plugin: Plugin = last(network)): PluginCall {
  const valid = [{ containerID: 'neighbour', ifname: network.ifname }];
  return callOf(network, 'GC', { ...plugin, 'cni.dev/valid-attachments': valid });
}

/** Attaches the container `neighbour`; what containers share, and the files that the first DEL makes, are there then. */
export async function attachNeighbour(network: Network, itsNetwork = network): Promise<void> {
  await attach(itsNetwork, createContainer('neighbour'));
  using first = createContainer('first');
  await detach(network, first, await attach(network, first));
  await settled();
}
