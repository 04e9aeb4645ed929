/** vrf: puts a container's interface into a vrf, which has a routing table of its own. A drop-in for the reference's. */
import {
  type AddRequest,
  type AttachmentInNamespace,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type Result,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../kernel/rtnetlink/link-change.ts';
import { mainTable } from '../../../kernel/rtnetlink/route.ts';
import { openContainer, openContainerIfThere, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { chainedLink, chainedResult } from '../../shared/chained.ts';
import { kernelHasKind } from '../../shared/kernel-kind.ts';
import { lockNamespace } from '../../shared/namespace-lock.ts';
import { vrfProblems } from './check.ts';
import { type VrfConfig, vrfSchema } from './config.ts';
import { type Belongings, belongingsOf, moveInterface } from './move.ts';
import { findOrCreateVrf, findVrf, removeIfUnused, type Vrf } from './vrf-link.ts';

export const plugin = definePlugin({
  name: 'vrf',
  about: "puts a container's interface into a vrf, with a routing table of its own",
  // The reference's.
  versions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  config: vrfSchema,
  add,
  del,
  check,
  status,
});

async function add(request: AddRequest<VrfConfig>): Promise<Result> {
  const { attachment, config, onFailure } = request;
  const previous = chainedResult(request);
  using container = openContainer(attachment);
  await lockNamespace(container.netns);
  const link = chainedLink(container, attachment);
  refuseOtherMaster(container, link);
  const vrf = findOrCreateVrf(container, config);
  onFailure(`making vrf ${vrf.name}`, () => withContainer(attachment, (again) => removeIfUnused(again, vrf)));
  const belongings = belongingsOf(container, link);
  onFailure(`moving interface ${link.name}`, () => moveBack(attachment, link, belongings));
  await moveInterface(container, link, vrf.index, vrf.table, belongings);
  return previous;
}

function refuseOtherMaster(container: Connection, { name, master }: Link): void {
  if (master === undefined || master === 0) return;
  const masterName = getLink(container, master)?.name ?? `with index ${master}`;
  throw new CniError(
    'invalidEnvironment',
    `interface ${name} is a port of link ${masterName} already`,
    'an interface can be in one vrf, bridge or bond',
  );
}

async function withContainer<T>(
  attachment: AttachmentInNamespace,
  use: (container: Connection) => T,
): Promise<Awaited<T>> {
  using container = openContainer(attachment);
  return await use(container);
}

function moveBack(attachment: AttachmentInNamespace, link: Link, belongings: Belongings): Promise<void> {
  return withContainer(attachment, (again) => moveInterface(again, link, 'none', mainTable, belongings));
}

/** The interface leaves the vrf, and the vrf goes with its last one. Its addresses and routes go with the interface. */
async function del({ attachment, config }: DelRequest<VrfConfig>): Promise<void> {
  using container = openContainerIfThere(attachment);
  if (container === undefined) return;
  await lockNamespace(container.netns);
  const vrf = vrfIfThere(container, config.vrfname);
  if (vrf === undefined) return;
  await runAll([() => release(container, attachment.ifname, vrf), () => removeIfUnused(container, vrf)]);
}

/** What has the name and is no vrf is none of ours. */
function vrfIfThere(container: Connection, name: string): Vrf | undefined {
  try {
    return findVrf(container, name);
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

function release(container: Connection, ifname: string, vrf: Vrf): void {
  const link = getLink(container, ifname);
  if (link?.master !== vrf.index) return;
  try {
    changeLink(container, link, { master: 'none' });
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

function check({ attachment, config, previousResult }: CheckRequest<VrfConfig>): void {
  using container = openContainer(attachment);
  refuseProblems(vrfProblems(container, attachment.ifname, config, previousResult));
}

function status(): void {
  using node = openNode();
  if (!kernelHasKind(node, 'vrf'))
    throw new CniError(
      'pluginNotAvailable',
      'vrf needs vrf links (the module vrf), which this kernel has not',
    );
}
