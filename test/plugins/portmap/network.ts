/**
 * What the portmap tests stand on: the node with a link to "the world" (a namespace), and containers that bridge and
 * portmap connected, called one after the other as a runtime does.
 */
// packages: iproute2 nftables
import { rmSync, writeFileSync } from 'node:fs';
import { type Container, createContainer, inNetns, ip, removeContainers } from '../../support/container.ts';
import { type AddResult, add, del, type PluginEnded, runPlugin } from '../../support/plugin.ts';
import { output, runProgram } from '../../support/program.ts';
import { type AskOptions, ask, type Protocol, stopServers } from '../../support/traffic.ts';

/** The node's addresses on the link to the world, a second one of each family, and the world's. */
export const node4 = '192.0.2.1';
export const node6 = '2001:db8::1';
export const other4 = '192.0.2.2';
export const other6 = '2001:db8::2';
export const world4 = '192.0.2.100';
export const world6 = '2001:db8::100';

/** Makes the world: a namespace behind a veth, in which the node is the default route. */
export async function createWorld(): Promise<Container> {
  const world = createContainer('world');
  const { netns } = world;
  await ip(undefined, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'w0', 'netns', world.id);
  for (const address of [`${node4}/24`, `${other4}/24`])
    await ip(undefined, 'address', 'add', address, 'dev', 'up0');
  for (const address of [`${node6}/64`, `${other6}/64`])
    await ip(undefined, 'address', 'add', address, 'dev', 'up0', 'nodad');
  for (const family of ['ipv6/conf/up0/accept_dad', 'ipv6/conf/default/accept_dad'])
    writeFileSync(`/proc/sys/net/${family}`, '0');
  await inNetns(netns, ['sysctl', '-qw', 'net.ipv6.conf.w0.accept_dad=0']);
  await ip(undefined, 'link', 'set', 'up0', 'up');
  await ip(netns, 'address', 'add', `${world4}/24`, 'dev', 'w0');
  await ip(netns, 'address', 'add', `${world6}/64`, 'dev', 'w0', 'nodad');
  await ip(netns, 'link', 'set', 'w0', 'up');
  await ip(netns, 'route', 'add', 'default', 'via', node4);
  await ip(netns, '-6', 'route', 'add', 'default', 'via', node6);
  return world;
}

/** One of `portMappings`. */
export interface Mapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol?: string;
  readonly hostIP?: string;
}

/** How a container is attached. */
export interface AttachOptions {
  /** The network's name, which is its bridge's as well: `cni0` if left out. */
  readonly network?: string;
  readonly mappings?: readonly Mapping[];
  /** Keys of portmap's configuration. */
  readonly portmap?: Readonly<Record<string, unknown>>;
}

/** An attached container. */
export interface Attached extends Container {
  readonly address4: string;
  readonly address6: string;
  /** bridge's result. */
  readonly result: AddResult;
  /** portmap's whole configuration, `prevResult` included. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** The networks' own numbers, in their subnets. */
const networks = new Map<string, number>();

/** bridge's configuration for a network of its own subnets. */
export function bridgeConfig(network: string): Readonly<Record<string, unknown>> {
  const number = networks.get(network) ?? networks.size + 1;
  networks.set(network, number);
  return {
    cniVersion: '1.1.0',
    name: network,
    type: 'bridge',
    bridge: network,
    isDefaultGateway: true,
    ipMasq: true,
    // A container reaches itself by its published port: where br_netfilter is on, the frame leaves by the port it came.
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: `10.88.${number}.0/24` }], [{ subnet: `fd88:${number}::/64` }]],
    },
  };
}

/** portmap's configuration, as a runtime makes it. */
export function portmapConfig(
  network: string,
  prevResult: object,
  { mappings, portmap }: AttachOptions = {},
): Readonly<Record<string, unknown>> {
  return {
    cniVersion: '1.1.0',
    name: network,
    type: 'portmap',
    ...portmap,
    ...(mappings === undefined ? {} : { runtimeConfig: { portMappings: mappings } }),
    prevResult,
  };
}

/** A container connected by bridge, its ports not yet published. */
export async function connect(name: string, options: AttachOptions = {}): Promise<Attached> {
  const network = options.network ?? 'cni0';
  const container = createContainer(name);
  const result = await add({ plugin: 'bridge', container, config: bridgeConfig(network) });
  const [address4 = '', address6 = ''] = (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? '');
  return { ...container, result, address4, address6, config: portmapConfig(network, result, options) };
}

/** A container connected by bridge and portmap. */
export async function attach(name: string, options: AttachOptions = {}): Promise<Attached> {
  const attached = await connect(name, options);
  await add({ plugin: 'portmap', container: attached, config: attached.config });
  return attached;
}

/** Publishes a connected container's ports anew. */
export function publish(attached: Attached, options: AttachOptions): Promise<AddResult> {
  const config = portmapConfig(options.network ?? 'cni0', attached.result, options);
  return add({ plugin: 'portmap', container: attached, config });
}

/** DEL of portmap alone. */
export function unpublish(attached: Attached, config: object = attached.config): Promise<void> {
  return del({ plugin: 'portmap', container: attached, config });
}

/** DEL of the chain, backward. */
export async function detach(attached: Attached): Promise<void> {
  await unpublish(attached);
  const network = String(attached.config.name);
  await del({
    plugin: 'bridge',
    container: attached,
    config: { ...bridgeConfig(network), prevResult: attached.result },
  });
  attached.remove();
}

/** portmap, called whatever comes of it. */
export function call(command: string, container: Container, config: object): Promise<PluginEnded> {
  return runPlugin({ plugin: 'portmap', command, container, config, ifname: 'eth0' });
}

/** `nft list`, its output. */
export function nft(...words: readonly string[]): Promise<string> {
  return output(['nft', ...words]);
}

/** The whole ruleset, its lines sorted: a set's elements have no order. */
export async function ruleset(...options: readonly string[]): Promise<string> {
  return (await nft(...options, 'list', 'ruleset')).split('\n').sort().join('\n');
}

/** The published ports' elements, a line each as nft writes them. */
export async function elements(): Promise<string[]> {
  const text = await nft('list', 'table', 'inet', 'fairlead');
  return text
    .split('\n')
    .filter((line) => line.includes('comment "') && /elements =|^\t\t\t {5}/.test(line))
    .map((line) => line.replace(/^\s*(elements = \{)?\s*/, '').replace(/(,| \})$/, ''));
}

/** The name of the server that answers on a port, and `-` where none does. */
export async function answers(
  from: Container | undefined,
  protocol: Protocol,
  address: string,
  port: number,
  options: AskOptions = {},
): Promise<string> {
  const answer = await ask(from?.netns, protocol, address, port, options);
  return answer?.server ?? '-';
}

/** Ends everything that a test started. */
export async function cleanUp(): Promise<void> {
  await stopServers();
  removeContainers();
  for (const table of ['inet', 'bridge']) await runProgram(['nft', 'delete', 'table', table, 'fairlead']);
  // A namespace's own end of a pair goes some time after the namespace; the pair goes at once with this one.
  for (const kind of ['veth', 'bridge']) {
    for (const { ifname } of await ip(undefined, 'link', 'show', 'type', kind))
      await runProgram(['ip', 'link', 'del', String(ifname)]);
  }
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
}

/** A container that only portmap knows: it asks nothing of the namespace. Its addresses are made of the number. */
export function imagine(name: string, number: number, options: AttachOptions = {}): Attached {
  const address4 = `10.99.${number >> 8}.${number & 255}`;
  const address6 = `fd99::${number.toString(16)}`;
  const netns = `/run/netns/${name}`;
  const result = {
    cniVersion: '1.1.0',
    interfaces: [{ name: 'eth0', sandbox: netns }],
    ips: [
      { address: `${address4}/16`, interface: 0 },
      { address: `${address6}/64`, interface: 0 },
    ],
  };
  const nothing = () => undefined;
  const config = portmapConfig(options.network ?? 'cni0', result, options);
  return { id: name, netns, address4, address6, result, config, remove: nothing, [Symbol.dispose]: nothing };
}

/** Publishes an imagined container's ports. */
export async function publishImagined(
  name: string,
  number: number,
  options: AttachOptions,
): Promise<Attached> {
  const imagined = imagine(name, number, options);
  await add({ plugin: 'portmap', container: imagined, config: imagined.config });
  return imagined;
}
