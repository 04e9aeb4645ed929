/** portmap: publishes a container's ports on its node. A drop-in for the reference's, in nftables. */
import {
  type AddRequest,
  type Attachment,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  messageOf,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getGeneration } from '../../../kernel/nftables/generation.ts';
import type { FoundElement } from '../../shared/nftables/element.ts';
import { goneFrom, ownedBy, ownerComment, type Whose } from '../../shared/nftables/owner.ts';
import { checkElements, putElements } from '../../shared/nftables/ownership.ts';
import { removeElements } from '../../shared/nftables/removal.ts';
import { openNftablesIfThere, withNftables } from '../../shared/nftables/socket.ts';
import { type PortmapConfig, portMappings, portmapSchema, refuseImpossible } from './config.ts';
import { portsAmong } from './index-entry.ts';
import { allowLocalhost, checkLocalhost } from './localhost.ts';
import { portOf, publish, targetsOf, wantedFor } from './mapping.ts';
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
  refuseImpossible(config);
  const publications = publish(portMappings(request), targetsOf(previousResult, attachment.ifname));
  if (publications.length === 0) return previousResult;
  request.onFailure('publishing ports', () => del(request));
  withNftables((connection) => {
    putElements(connection, section, ownerComment(attachment), wantedFor(publications, config));
    forgetStaleFlows(connection, publications.map(portOf));
  });
  if (config.snat) allowLocalhost(publications);
  return previousResult;
}

function notChained(): CniError {
  return new CniError(
    'invalidConfig',
    '`prevResult` of plugin `portmap` is missing',
    'portmap must come after a plugin that gives the container an address, in the `plugins` of a conflist',
  );
}

/**
 * Removes what the attachment has, whatever the runtime says of ports now. Where it has ports and nothing of ours, they
 * were published by the reference's plugin, before the node was switched.
 */
async function del(request: AddRequest<PortmapConfig> | DelRequest<PortmapConfig>): Promise<void> {
  const { attachment, common } = request;
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  const removed = remove(connection, ownedBy(attachment));
  if (removed.length > 0 || common.runtimeConfig?.portMappings === undefined) return;
  const { removeReferenceRules, referenceRules } = await loadReference();
  await removeReferenceRules(connection, referenceRules(attachment));
}

/** Only where there may be something of the reference's: most calls do without. */
async function loadReference() {
  const [rules, places] = await Promise.all([
    import('../../shared/nftables/reference-rules.ts'),
    import('./reference.ts'),
  ]);
  return { ...rules, ...places };
}

/** Where the reference published the ports, its own rules do what the elements would. */
async function check(request: CheckRequest<PortmapConfig>): Promise<void> {
  const { attachment, config, previousResult } = request;
  refuseImpossible(config);
  const publications = publish(portMappings(request), targetsOf(previousResult, attachment.ifname));
  if (publications.length === 0) return;
  const missing = withNftables((connection) =>
    checkElements(connection, section, ownerComment(attachment), wantedFor(publications, config)),
  );
  const differences = missing.length > 0 && (await isReferences(attachment)) ? [] : missing;
  const [first, ...others] = [...differences, ...(config.snat ? checkLocalhost(publications) : [])];
  if (first !== undefined) throw new CniError(differs, first, others.join('; '));
}

async function isReferences(attachment: Attachment): Promise<boolean> {
  const { hasReferenceRules, referenceRules } = await loadReference();
  return withNftables((connection) => hasReferenceRules(connection, referenceRules(attachment)));
}

async function gc({ network, validAttachments }: GcRequest<PortmapConfig>): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  remove(connection, goneFrom(network, validAttachments));
  const { removeReferenceRules, goneReferenceRules } = await loadReference();
  await removeReferenceRules(connection, goneReferenceRules(network, validAttachments));
}

function remove(connection: Connection, whose: Whose): readonly FoundElement[] {
  const removed = removeElements(connection, section, whose);
  forgetStaleFlows(connection, portsAmong(removed));
  return removed;
}

function status({ config }: StatusRequest<PortmapConfig>): void {
  try {
    refuseImpossible(config);
    withNftables(getGeneration);
  } catch (error) {
    if (error instanceof CniError) throw new CniError('pluginNotAvailable', error.msg);
    throw new CniError(
      'pluginNotAvailable',
      'portmap needs nftables in the kernel (nf_tables)',
      messageOf(error),
    );
  }
}
