/** Networks for the tests of bridge: each with a bridge, subnets and a name of its own, so that tests do not meet. */
import { type Container, createContainer, ip, removeContainers } from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { type AddResult, add, type NamedCall } from '../../support/plugin.ts';

/** A configuration of bridge. */
export interface NetworkConfig {
  readonly cniVersion: string;
  readonly name: string;
  readonly type: 'bridge';
  readonly bridge: string;
  readonly [key: string]: unknown;
}

/** A network's subnets and the gateways in them. */
export interface Subnets {
  readonly subnet4: string;
  readonly gateway4: string;
  readonly subnet6: string;
  readonly gateway6: string;
}

let count = 0;

/** A network that no other test has: IPv4 and IPv6 by host-local, nothing else; `keys` replace or add. */
export function network(keys: Readonly<Record<string, unknown>> = {}): NetworkConfig & Subnets {
  count++;
  const name = `net${count}`;
  const subnets = {
    subnet4: `10.${count}.0.0/24`,
    gateway4: `10.${count}.0.1`,
    subnet6: `fd00:${count}::/64`,
    gateway6: `fd00:${count}::1`,
  };
  const ranges = [[{ subnet: subnets.subnet4 }], [{ subnet: subnets.subnet6 }]];
  const ipam = { type: 'host-local', ranges };
  const config = { cniVersion: '1.1.0', name, bridge: `br${count}`, ipam, ...keys };
  return { ...config, type: 'bridge', ...subnets };
}

/** `ipam` of the plugin static. */
export function staticIpam(addresses: readonly string[], keys: object = {}): object {
  return { type: 'static', addresses: addresses.map((address) => ({ address })), ...keys };
}

/** A container that is attached to a network. */
export interface Attached {
  readonly container: Container;
  readonly result: AddResult;
  /** The configuration with the result, for CHECK and DEL. */
  readonly config: NetworkConfig & { readonly prevResult: AddResult };
  /** Its addresses without the prefixes' lengths. */
  readonly addresses: readonly string[];
  /** The names of the host's and the container's side, and what CHECK and DEL are called with. */
  readonly hostName: string;
  readonly call: NamedCall;
}

/** A new container, attached to the network. */
export async function attach(config: NetworkConfig, call: Partial<NamedCall> = {}): Promise<Attached> {
  const container = call.container ?? createContainer();
  const result = await add({ plugin: 'bridge', config, container, ...call });
  const withResult = { ...config, prevResult: result };
  return {
    container,
    result,
    config: withResult,
    addresses: (result.ips ?? []).map(({ address }) => address.slice(0, address.indexOf('/'))),
    hostName: result.interfaces?.[1]?.name ?? '',
    call: { plugin: 'bridge', container, ...call, config: withResult },
  };
}

/** A link as `ip -d -j link` shows it; undefined when there is none. */
export async function link(netns: string | undefined, name: string): Promise<IpObject | undefined> {
  return (await ip(netns, '-d', 'link')).find(({ ifname }) => ifname === name);
}

/** What a link is as a port of its bridge. */
export async function portOf(name: string): Promise<IpObject> {
  const { linkinfo } = (await link(undefined, name)) ?? {};
  return (linkinfo as { info_slave_data?: IpObject } | undefined)?.info_slave_data ?? {};
}

/** The addresses of a link with their prefixes' lengths, without those of the link's own scope. */
export async function addressesOf(netns: string | undefined, name: string): Promise<string[]> {
  const found = (await ip(netns, 'address')).find(({ ifname }) => ifname === name);
  return ((found?.['addr_info'] ?? []) as IpObject[])
    .filter(({ scope }) => scope !== 'link')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** Waits until the kernel has done with a gateway's IPv6 address what it does after the request: routes to it. */
export async function gatewaySettled({ gateway6 }: Subnets): Promise<void> {
  const isThere = async () =>
    (await ip(undefined, '-6', 'route', 'show', 'table', 'local')).some(({ dst }) => dst === gateway6);
  while (!(await isThere())) await Bun.sleep(5);
}

/**
 * After a test: removes its containers, and first the links that lead into them, which otherwise go some time after
 * their namespace.
 */
export async function detachAll(): Promise<void> {
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'veth')) {
    await Bun.$`ip link delete ${String(ifname)}`.nothrow().quiet(); // its peer may have been here too
  }
  removeContainers();
}
