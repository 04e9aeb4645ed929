/** portmap: publishes a container's ports on its node. A drop-in for the reference's, in nftables. */
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  messageOf,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import { getGeneration } from '../../../kernel/nftables/generation.ts';
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import { getRoute } from '../../../kernel/rtnetlink/route.ts';
import { linkSysctl, setSysctl } from '../../../kernel/sysctl/index.ts';
import type { Prefix } from '../../../lib/ip.ts';
import { goneFrom, ownedBy, ownerComment } from '../../shared/nftables/owner.ts';
import { checkElements, putElements, removeElements } from '../../shared/nftables/ownership.ts';
import { withNftables } from '../../shared/nftables/socket.ts';
import { openNode } from '../../shared/node.ts';
import { type PortmapConfig, portMappings, portmapSchema } from './config.ts';
import { publish, targetsOf, wantedFor } from './mapping.ts';
import { section } from './section.ts';
import { forgetStaleFlows } from './stale-flows.ts';

/** The plugin's own code for "not as ADD left it" (SPEC.md section 5: 100 and above). */
const differs = 102;

export const plugin = definePlugin({
  name: 'portmap',
  about: "publishes a container's ports on its node",
  config: portmapSchema,
  add,
  del,
  check,
  gc,
  status,
});

function add(request: AddRequest<PortmapConfig>): Result {
  const { attachment, config, previousResult } = request;
  if (previousResult === undefined) throw notChained();
  const mappings = portMappings(request);
  if (mappings.length === 0) return previousResult;
  const targets = targetsOf(previousResult, attachment.ifname);
  const publications = publish(mappings, targets);
  request.onFailure('publishing ports', () => del(request));
  withNftables((connection) => {
    putElements(connection, section, ownerComment(attachment), wantedFor(publications, config), 'refuse');
    forgetStaleFlows(connection, publications);
  });
  if (config.snat) for (const target of targets) allowLocalhost(target);
  return previousResult;
}

function notChained(): CniError {
  return new CniError(
    'invalidConfig',
    '`prevResult` of plugin `portmap` is missing',
    'portmap must come after a plugin that gives the container an address, in the `plugins` of a conflist',
  );
}

/** Lets packets from 127.0.0.1 leave by the interface that leads to the container; IPv6 has no such setting. */
function allowLocalhost({ address }: Prefix): void {
  if (address.family !== 4) return;
  using node = openNode();
  const index = getRoute(node, address)?.oif;
  const link = index === undefined ? undefined : getLink(node, index);
  if (link !== undefined) setSysctl(linkSysctl('ipv4', link.name, 'route_localnet'), '1');
}

/** Removes what the attachment has, whatever the runtime says of ports now. */
function del({ attachment }: AddRequest<PortmapConfig> | DelRequest<PortmapConfig>): void {
  withNftables((connection) => removeElements(connection, section, ownedBy(attachment)));
}

function check(request: CheckRequest<PortmapConfig>): void {
  const { attachment, config, previousResult } = request;
  const publications = publish(portMappings(request), targetsOf(previousResult, attachment.ifname));
  if (publications.length === 0) return;
  const [first, ...others] = withNftables((connection) =>
    checkElements(connection, section, ownerComment(attachment), wantedFor(publications, config)),
  );
  if (first !== undefined) throw new CniError(differs, first, others.join('; '));
}

function gc({ network, validAttachments }: GcRequest<PortmapConfig>): void {
  withNftables((connection) => removeElements(connection, section, goneFrom(network, validAttachments)));
}

function status(_request: StatusRequest<PortmapConfig>): void {
  try {
    withNftables(getGeneration);
  } catch (error) {
    throw new CniError(
      'pluginNotAvailable',
      'portmap needs nftables in the kernel (nf_tables)',
      messageOf(error),
    );
  }
}
