/** Everything about a container or a namespace. */
import { existsSync } from 'node:fs';
import type { Environment } from '../../cni/index.ts';
import { type CachedAttachment, loadNetwork } from '../../cni/runtime/index.ts';
import { type Container, openContainerIfThere, openNode } from '../../plugin/namespaces.ts';
import { checkFacts } from './check.ts';
import { attachmentFacts, otherFacts } from './container.ts';
import { compared, type Fact } from './fact.ts';
import { nftablesFacts } from './nftables.ts';
import { nodeFacts } from './node.ts';
import { type Attached, type PluginPlaces, readAttached } from './plugins.ts';
import { podOf, type Subject } from './subject.ts';

/** One attachment: whose it is, and the facts. */
export interface AttachmentInspection {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly netnsExists: boolean;
  /** `NAMESPACE/NAME`, where the runtime said it. */
  readonly pod?: string;
  readonly plugins: readonly string[];
  /** The configuration that ADD was called with, against the one of today. */
  readonly configuration: {
    readonly file?: string;
    readonly state: 'as at ADD' | 'changed since ADD' | 'gone since ADD';
  };
  readonly facts: readonly Fact[];
}

/** What was found. */
export interface Inspection {
  readonly netns: string;
  readonly attachments: readonly AttachmentInspection[];
  /** What is in the namespace besides. */
  readonly besides: readonly Fact[];
}

/** What an inspection needs to know of its surroundings. */
export interface InspectionOptions extends PluginPlaces {
  readonly netConfPath: string;
  readonly env: Environment;
}

/** Looks at everything. Changes nothing. Throws a `CniError`, NetlinkError, SystemError (EPERM: root is needed). */
export async function inspect(
  { attachments, netns }: Subject,
  options: InspectionOptions,
): Promise<Inspection> {
  const attached = attachments.map(readAttached);
  const found: AttachmentInspection[] = [];
  for (const one of attached) found.push(await inspectOne(one, options));
  using container = openInspected(netns);
  return {
    netns,
    attachments: found,
    besides: container === undefined ? [] : otherFacts(container, attached),
  };
}

/** A namespace may be inspected that is the node's own. */
function openInspected(netns: string): Container | undefined {
  return openContainerIfThere({ netns, netnsOverride: true });
}

async function inspectOne(attached: Attached, options: InspectionOptions): Promise<AttachmentInspection> {
  const { network, containerId, ifname, netns } = attached.cached;
  const pod = podOf(attached.cached);
  return {
    network,
    containerId,
    ifname,
    netns,
    netnsExists: existsSync(netns),
    ...(pod !== undefined && { pod }),
    plugins: attached.network?.plugins.map(({ type }) => type) ?? [],
    configuration: configurationOf(attached.cached, options.netConfPath),
    facts: await factsOf(attached, options),
  };
}

const groups: readonly Fact['group'][] = [
  'links',
  'addresses',
  'routes',
  'settings',
  'reservations',
  'nftables',
  'check',
];

async function factsOf(attached: Attached, options: InspectionOptions): Promise<Fact[]> {
  using container = openInspected(attached.cached.netns);
  using node = openNode();
  const facts = [
    ...(container === undefined ? [namespaceGone(attached)] : attachmentFacts(container, attached)),
    ...nodeFacts(node, attached),
    ...nftablesFacts(attached, options),
    ...(await checkFacts(attached, options, options.env)),
  ];
  return groups.flatMap((group) => facts.filter((fact) => fact.group === group));
}

function namespaceGone({ cached }: Attached): Fact {
  const { ifname, netns } = cached;
  return compared(
    {
      group: 'links',
      what: `link ${ifname} in the container`,
      configured: `in ${netns || 'a namespace not known'}`,
    },
    undefined,
  );
}

function configurationOf(
  { network, config }: CachedAttachment,
  folder: string,
): AttachmentInspection['configuration'] {
  try {
    const { file, bytes } = loadNetwork(folder, network);
    const state = Buffer.from(bytes).equals(Buffer.from(config)) ? 'as at ADD' : 'changed since ADD';
    return { ...(file !== undefined && { file }), state };
  } catch {
    return { state: 'gone since ADD' };
  }
}
