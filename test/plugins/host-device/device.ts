/** The node's link `eth0` of a segment (test/support/segment.ts) as a container's device `net1`. */
import { type Container, createContainer, ip } from '../../support/container.ts';
import { type AddResult, add, failure, type NamedCall, type PluginError } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { nextIpam } from '../../support/segment.ts';

/** The interface's name in the container. */
export const ifname = 'net1';

/** A configuration that names `eth0`, without IPAM. */
export function configOf(more: object = {}) {
  return { cniVersion: '1.1.0', name: 'devices', type: 'host-device', device: 'eth0', ...more };
}

/** A configuration with addresses of the segment. */
export function addressedConfig(more: object = {}) {
  return configOf({ ipam: nextIpam(), ...more });
}

/** A container that has a device. */
export interface Attached {
  readonly container: Container;
  readonly result: AddResult;
  /** For DEL and CHECK, with the result. */
  readonly call: NamedCall;
}

/** ADD that has to succeed. */
export async function attach(config: object = configOf(), container = createContainer()): Promise<Attached> {
  const result = await add({ plugin: 'host-device', config, container, ifname });
  const call = { plugin: 'host-device', container, ifname, config: { ...config, prevResult: result } };
  return { container, result, call };
}

/** ADD that has to fail. */
export function refused(config: object = configOf(), container = createContainer()): Promise<PluginError> {
  return failure({ plugin: 'host-device', command: 'ADD', config, container, ifname });
}

/** A shell's commands on the node or in a namespace. @throws Error with what it says */
export async function sh(command: string, netns?: string): Promise<void> {
  const argv = ['sh', '-ec', command];
  await output(netns === undefined ? argv : ['nsenter', `--net=${netns}`, '--', ...argv]);
}

/** The names of the links of the node or of a namespace, sorted. */
export async function names(netns?: string): Promise<readonly string[]> {
  return (await ip(netns, 'link')).map((link) => String(link.ifname)).sort();
}

interface Lasting {
  readonly ifname: unknown;
  readonly address: unknown;
  readonly mtu: unknown;
  readonly ifalias: string | undefined;
  readonly up: boolean;
}

/** What is to be the same of a device before it was given away and after it came back. */
export async function lasting(name: string, netns?: string): Promise<Lasting> {
  const [link = {}] = await ip(netns, 'link', 'show', name);
  const { ifname, address, mtu, ifalias, flags } = link;
  return {
    ifname,
    address,
    mtu,
    ifalias: ifalias as string | undefined,
    up: (flags as string[]).includes('UP'),
  };
}

/** Moves the device to the node as the kernel does where a container's namespace ends: under its name there, with its alias. */
export async function letGo({ netns }: Container, name = ifname): Promise<void> {
  await sh(`ip link set ${name} netns ${process.pid}`, netns);
}
