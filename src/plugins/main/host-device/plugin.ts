/** host-device: gives a container a device of the node, and takes it back at its end. A drop-in for the reference's. */
import {
  type AddRequest,
  type CheckRequest,
  type DelRequest,
  definePlugin,
  type GcRequest,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { interfaceProblems } from '../../../plugin/container-interface.ts';
import { refuseExistingInterface } from '../../../plugin/links.ts';
import { type Container, openContainer, openContainerIfThere, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { finishInterface, refuseNoAddress, resultOf } from '../../shared/link/addresses.ts';
import { restoreName } from './came-back.ts';
import {
  type HostDeviceConfig,
  hostDeviceSchema,
  requireSelector,
  type Selector,
  selectorOf,
} from './config.ts';
import { findDevice, refuseUnusable } from './device.ts';
import { heldDevice } from './held.ts';
import { giveBack, moveIn, oldNameOf } from './move.ts';
import { isUserspaceDevice } from './sysfs.ts';

export const plugin = definePlugin({
  name: 'host-device',
  about: 'gives a container a device of the node',
  config: hostDeviceSchema,
  add,
  del,
  check,
  gc,
  status,
});

/** The device first: a DHCP client needs it. A device that a program drives has no link: there is only IPAM to ask. */
async function add(request: AddRequest<HostDeviceConfig>): Promise<Result> {
  const { attachment, config, common, ipam } = request;
  const selector = requireSelector(config);
  using container = openContainer(attachment);
  const link = isUserspaceDevice(selector) ? undefined : await takeDevice(request, container, selector);
  const { ifname: name, netns: sandbox } = attachment;
  const own = { name, ...(link && { mac: link.mac }), sandbox };
  if (!ipam.configured) return { interfaces: [own] };
  const given = refuseNoAddress('host-device', await ipam.add(), common.ipamType);
  const result =
    link === undefined ? resultOf(own, given) : await finishInterface(request, container, link, given);
  // As the reference has it: the configuration's, never IPAM's.
  return { ...result, ...(common.dns && { dns: common.dns }) };
}

async function takeDevice(
  request: AddRequest<HostDeviceConfig>,
  container: Container,
  selector: Selector,
): Promise<Link> {
  const { ifname, netns } = request.attachment;
  refuseExistingInterface(container, ifname, netns);
  using node = openNode();
  restoreName(node, selector, ifname);
  const device = findDevice(node, selector);
  if (device === undefined) throw (await import('./missing.ts')).missingDevice(selector);
  refuseUnusable(node, selector, device);
  return moveIn(request, { node, container }, selector, device);
}

/** The addresses first: over the device, a DHCP client tells its server. */
async function del(request: DelRequest<HostDeviceConfig>): Promise<void> {
  const { ipam } = request;
  await runAll([() => (ipam.configured ? ipam.del() : undefined), () => release(request)]);
}

function release(request: DelRequest<HostDeviceConfig>): void {
  const { attachment, config } = request;
  const selector = selectorOf(config);
  if (selector !== undefined && isUserspaceDevice(selector)) return;
  using container = openContainerIfThere(attachment);
  using node = openNode();
  const held = container && heldDevice(request, { node, container }, selector);
  if (held !== undefined) giveBack(held.container, held.link, held.name);
  else if (selector !== undefined) restoreName(node, selector, attachment.ifname);
}

async function check(request: CheckRequest<HostDeviceConfig>): Promise<void> {
  const { attachment, config, ipam, previousResult } = request;
  const selector = requireSelector(config);
  if (ipam.configured) await ipam.check();
  if (isUserspaceDevice(selector)) return;
  using container = openContainer(attachment);
  refuseProblems([
    ...interfaceProblems(container, attachment, previousResult),
    ...aliasProblems(container, attachment.ifname),
  ]);
}

function aliasProblems(container: Connection, ifname: string): string[] {
  const link = getLink(container, ifname);
  if (link === undefined || oldNameOf(link) !== undefined) return [];
  return [`interface ${ifname} has no alias that tells its name on the node`];
}

/** A device that came back by itself gets its name again. What is still in a container's namespace is found by DEL only. */
async function gc({ config, ipam }: GcRequest<HostDeviceConfig>): Promise<void> {
  const selector = selectorOf(config);
  const restore = () => {
    using node = openNode();
    if (selector !== undefined) restoreName(node, selector);
  };
  await runAll([() => (ipam.configured ? ipam.gc() : undefined), restore]);
}

/** That the device is in a container is how it should be, so it is not looked for. */
async function status({ config, common, ipam }: StatusRequest<HostDeviceConfig>): Promise<void> {
  if (common.capabilities?.deviceID !== true) requireSelector(config, 'pluginNotAvailable');
  if (ipam.configured) await ipam.status();
}
