/** Pods that serve a page each, and how they ask one another for it. */

import { imageName } from '../support/image.ts';
import type { Containerd } from './containerd.ts';
import type { Executed, PodConfig, PortMapping } from './cri.ts';
import { getCommand, serveCommand, url } from './web.ts';

/** A Pod that runs. */
export interface Pod {
  readonly id: string;
  readonly config: PodConfig;
  /** Its container, in which a web server serves the Pod's name. */
  readonly container: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** The path of its network namespace. */
  readonly netns: string;
  /** Process 1 of its pause container. */
  readonly pid: number;
}

/** What RunPodSandbox is given for a Pod of this name. */
export function podConfig(cgroup: string, name: string, ports: readonly PortMapping[] = []): PodConfig {
  return {
    metadata: { name, uid: `uid-${name}`, namespace: 'tests' },
    hostname: name,
    port_mappings: ports,
    linux: { cgroup_parent: cgroup },
  };
}

/** Runs a Pod, and waits until its web server answers in the Pod itself. */
export async function startPod(
  { cri, cgroup }: Containerd,
  name: string,
  ports: readonly PortMapping[] = [],
): Promise<Pod> {
  const config = podConfig(cgroup, name, ports);
  const id = await cri.runPod(config);
  const { ips, netns, pid } = await cri.podStatus(id);
  const serve = `echo ${name} > /www/index.html; exec ${serveCommand('/www').join(' ')}`;
  const command = ['sh', '-c', serve];
  const container = await cri.runContainer(id, config, { name: 'web', image: imageName, command });
  const served = `until ${getCommand(url('127.0.0.1')).join(' ')} 2>/dev/null; do sleep 0.02; done`;
  await cri.exec(container, ['sh', '-c', served]);
  const [ipv4 = '', ipv6 = ''] = ips;
  return { id, config, container, ipv4, ipv6, netns, pid };
}

/** Stops and removes a Pod, as kubelet does. */
export async function removePod({ cri }: Containerd, { id }: Pick<Pod, 'id'>): Promise<void> {
  await cri.stopPod(id);
  await cri.removePod(id);
}

/** What a Pod's container gets from a web server. */
export function getFrom({ cri }: Containerd, from: Pod, url: string): Promise<Executed> {
  return cri.exec(from.container, getCommand(url));
}

/** Sends one ICMP echo request from a Pod and waits some seconds for the answer. */
export function ping({ cri }: Containerd, from: Pod, address: string, seconds = 3): Promise<Executed> {
  return cri.exec(from.container, ['ping', '-c', '1', '-W', String(seconds), address]);
}
