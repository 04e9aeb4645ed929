/** A network of containers on a segment with DHCP servers, and what its tests do. */
import { readdirSync } from 'node:fs';
import { type Container, createContainer, ip } from '../../support/container.ts';
import { add } from '../../support/plugin.ts';
import { socketPath } from './servers.ts';

/** Option 53 of what clients send. */
export const [discover, request, release] = [1, 3, 7] as const;

/** Bytes as text. */
export const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** A configuration of macvlan with dhcp, and of whatever `more` says. */
export function configOf(ipam: object = {}, more: object = {}) {
  const own = { cniVersion: '1.1.0', name: 'net', type: 'macvlan', master: 'eth0' };
  return { ...own, ...more, ipam: { type: 'dhcp', ...ipam } };
}

/** Attaches a new container. */
export async function attach(ipam: object = {}, { args, more }: { args?: string; more?: object } = {}) {
  const container = createContainer();
  const config = configOf(ipam, more);
  const result = await add({ plugin: config.type, config, container, ...(args !== undefined && { args }) });
  const call = { plugin: config.type, container, ifname: 'eth0', config: { ...config, prevResult: result } };
  const address = result.ips?.[0]?.address.replace(/\/.*/, '') ?? '';
  return { container, result, call, address };
}

/** The daemon's files of leases. */
export function leaseFiles(): readonly string[] {
  return readdirSync(`${socketPath}.leases`).filter((name) => name !== 'lock');
}

/** Whether a container's interface is down. */
export async function isDown({ netns }: Container): Promise<boolean> {
  const [link] = await ip(netns, 'link', 'show', 'eth0');
  return !((link?.flags ?? []) as readonly string[]).includes('UP');
}
