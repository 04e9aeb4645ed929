/** CHECK, DEL, GC and STATUS, which are alike for all plugins whose interface is a link of its own in the container. */
import {
  type CheckRequest,
  CniError,
  type DelRequest,
  type GcRequest,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { LinkKind } from '../../../kernel/rtnetlink/kinds/kinds.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import { openContainer, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { interfaceDifferences } from './check.ts';
import { removeInterface } from './make-interface.ts';
import { findMaster, type MasterConfig, masterProblems } from './master.ts';

/** CHECK of a plugin whose interface sits on a master: IPAM's, then a line for each difference, `more` before the master's. */
export function checkOnMaster<K extends LinkKind, C extends MasterConfig>(
  kind: K,
  more: (link: Link & { readonly kind: K }, config: C) => readonly string[],
): (request: CheckRequest<C>) => Promise<void> {
  return async (request) => {
    const { attachment, config, ipam } = request;
    if (ipam.configured) await ipam.check();
    using container = openContainer(attachment);
    using node = openNode();
    refuseProblems(
      interfaceDifferences(container, request, kind, (link) => [
        ...more(link, config),
        ...masterProblems({ node, container }, config, link),
      ]),
    );
  };
}

/** Gives the addresses back, then removes the interface: over it, a DHCP client tells its server. */
export function delInterface(kind: LinkKind): (request: DelRequest) => Promise<void> {
  return ({ attachment, ipam }) =>
    runAll([() => (ipam.configured ? ipam.del() : undefined), () => removeInterface(attachment, kind)]);
}

/** What such a plugin makes is in the container's namespace and goes with it; IPAM keeps what is left. */
export async function gcIpam({ ipam }: GcRequest): Promise<void> {
  if (ipam.configured) await ipam.gc();
}

/** ADD would fail as long as the master is not there or is down. One in a container is not known yet. */
export async function statusOfMaster(request: StatusRequest<MasterConfig>): Promise<void> {
  if (!request.config.linkInContainer) refuseUnusableMaster(request);
  if (request.ipam.configured) await request.ipam.status();
}

function refuseUnusableMaster({ plugin, config }: StatusRequest<MasterConfig>): void {
  using node = openNode();
  try {
    findMaster(plugin, { node }, config);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    throw new CniError('pluginNotAvailable', error.msg, error.details);
  }
}
