/** Networks whose addresses host-local gives, its store as a person sees it, and the reference's plugin beside ours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseAddress } from '../../../src/lib/ip.ts';
import {
  type AddResult,
  failure,
  type PluginCall,
  type PluginError,
  successful,
} from '../../support/plugin.ts';

/** A configuration as a runtime gives it to host-local. */
export interface Network {
  readonly cniVersion: string;
  readonly name: string;
  readonly type: string;
  readonly ipam: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

let networks = 0;

/** A network of a name of its own with these keys in `ipam`, and others beside it. */
export function network(ipam: object, others: object = {}): Network {
  networks++;
  return {
    cniVersion: '1.0.0',
    name: `net${networks}`,
    type: 'bridge',
    ipam: { type: 'host-local', ...ipam },
    ...others,
  };
}

/** What a call may have beside command, network and container. */
export type Extra = Omit<Partial<PluginCall>, 'plugin' | 'command' | 'config'>;

function callOf(command: string, config: Network, containerId: string, extra: Extra): PluginCall {
  const names = { containerId, ifname: 'eth0', netns: '/run/netns/none' };
  return { plugin: 'host-local', command, config, ...names, ...extra };
}

/** The addresses that ADD gives. @throws Error with the plugin's error */
export async function give(config: Network, containerId: string, extra: Extra = {}): Promise<string[]> {
  const result = (await successful(callOf('ADD', config, containerId, extra))).json as AddResult;
  return (result.ips ?? []).map(({ address }) => address);
}

/** ADD's whole result. @throws Error with the plugin's error */
export async function resultOf(config: Network, containerId: string, extra: Extra = {}): Promise<unknown> {
  return (await successful(callOf('ADD', config, containerId, extra))).json;
}

/** A DEL that has to succeed. @throws Error with the plugin's error */
export async function take(config: Network, containerId: string, extra: Extra = {}): Promise<void> {
  await successful(callOf('DEL', config, containerId, extra));
}

/** A CHECK that has to succeed. @throws Error with the plugin's error */
export async function check(config: Network, containerId: string, extra: Extra = {}): Promise<void> {
  const prevResult = { cniVersion: config.cniVersion, ips: [], dns: {} };
  await successful(callOf('CHECK', { ...config, prevResult }, containerId, extra));
}

/** A GC that has to succeed, with these containers' eth0 still there. @throws Error with the plugin's error */
export async function collect(config: Network, containerIds: readonly string[]): Promise<void> {
  const valid = containerIds.map((containerID) => ({ containerID, ifname: 'eth0' }));
  const withList = { ...config, cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid };
  await successful({ plugin: 'host-local', command: 'GC', config: withList });
}

/** The error of a call that has to fail. @throws Error where it did not */
export function refusal(
  command: string,
  config: Network,
  containerId = 'refused',
  extra: Extra = {},
): Promise<PluginError> {
  return failure(callOf(command, config, containerId, extra));
}

/** The directory of a network's reservations. */
export function storeOf({ name, ipam }: Network): string {
  return `${String(ipam.dataDir ?? '/var/lib/cni/networks')}/${name}`;
}

/** What is in the store, but the lock: names and contents of the reference's own files. */
export function filesOf(config: Network): Readonly<Record<string, string>> {
  const store = storeOf(config);
  if (!existsSync(store)) return {};
  const names = readdirSync(store)
    .filter((name) => name !== 'lock')
    .sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(`${store}/${name}`, 'utf8')]));
}

/** The reservations: who has which address, as `CONTAINERID/IFNAME`. */
export function reservationsOf(config: Network): Readonly<Record<string, string>> {
  const reservations = Object.entries(filesOf(config)).filter(([name]) => parseAddress(name) !== undefined);
  return Object.fromEntries(
    reservations.map(([address, content]) => [address, content.replace('\r\n', '/')]),
  );
}
