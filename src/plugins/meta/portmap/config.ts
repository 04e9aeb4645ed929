/** What portmap's configuration says: the reference's keys, checked, and the mappings that the runtime gives. */
import {
  array,
  boolean,
  CniError,
  enumeration,
  type Infer,
  integer,
  object,
  type Request,
  runtimeValue,
  string,
} from '../../../cni/index.ts';
import { parseAddress } from '../../../lib/ip.ts';
import { parseConditions } from './conditions.ts';

/** The reference's bit: Kubernetes uses 14 and 15, Calico 20–31. */
const defaultMarkBit = 13;

const conditions = (family: 4 | 6) =>
  array(string())
    .refine((words, report) => {
      const parsed = parseConditions(words, family);
      if ('problem' in parsed) report(parsed.problem);
    })
    .default([]);

/** The keys of portmap. Rules are nftables' with either `backend`: the words are taken so that conflists stay valid. */
export const portmapSchema = object({
  backend: enumeration('iptables', 'nftables').optional(),
  snat: boolean().default(true),
  masqAll: boolean().default(false),
  markMasqBit: integer({ min: 0, max: 31 }).optional(),
  externalSetMarkChain: string().optional(),
  conditionsV4: conditions(4),
  conditionsV6: conditions(6),
}).refine(({ markMasqBit, externalSetMarkChain }, report) => {
  if (externalSetMarkChain === undefined) return;
  if (markMasqBit !== undefined)
    report('must not be set together with `markMasqBit`', 'externalSetMarkChain');
  else
    report(
      'must be left out: it names a chain of iptables, and Fairlead writes nftables; set `markMasqBit` to the bit that the chain sets',
      'externalSetMarkChain',
    );
});

/** The configuration, checked. */
export type PortmapConfig = Infer<typeof portmapSchema>;

/** The bit that says "to be masqueraded". */
export function markBitOf(config: PortmapConfig): number {
  return config.markMasqBit ?? defaultMarkBit;
}

const port = integer({ min: 1, max: 65535 });

const mappingSchema = object({
  hostPort: port,
  containerPort: port,
  protocol: string()
    .map((text) => text.toLowerCase() || 'tcp', 'a protocol')
    .refine((text, report) => {
      if (!['tcp', 'udp', 'sctp'].includes(text))
        report(`must be one of "tcp", "udp", "sctp", got "${text}"`);
    })
    .default('tcp'),
  hostIP: string()
    .refine((text, report) => {
      if (text !== '' && parseAddress(text) === undefined)
        report(`must be an IP address such as "192.0.2.1", got "${text}"`);
    })
    .default(''),
});

/** A port of the node that leads to one of the container's. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** The node's address it is published on; every one where absent. */
  readonly hostIP?: string;
}

/** What a port belongs to. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** The runtime's mappings, each once. Throws a CniError for two that contradict each other. */
export function portMappings(request: Request<PortmapConfig>): PortMapping[] {
  const given = runtimeValue(request, array(mappingSchema), { runtimeConfig: 'portMappings' }) ?? [];
  const targets = new Map<string, { mapping: PortMapping; index: number }>();
  for (const [index, { protocol, hostIP, ...ports }] of given.entries()) {
    const mapping = {
      ...ports,
      protocol: protocol as Protocol,
      ...(hostIP !== '' && { hostIP }),
    };
    const key = `${hostIP}/${protocol}/${ports.hostPort}`;
    const earlier = targets.get(key);
    if (earlier === undefined) targets.set(key, { mapping, index });
    else if (earlier.mapping.containerPort !== ports.containerPort)
      throw contradiction(index, earlier, mapping);
  }
  return [...targets.values()].map(({ mapping }) => mapping);
}

function contradiction(
  index: number,
  earlier: { readonly mapping: PortMapping; readonly index: number },
  mapping: PortMapping,
): CniError {
  const { hostPort, protocol } = mapping;
  return new CniError(
    'invalidConfig',
    `\`runtimeConfig.portMappings[${index}]\` of plugin \`portmap\` maps host port ${hostPort}/${protocol}, which \`portMappings[${earlier.index}]\` maps to container port ${earlier.mapping.containerPort}`,
    'a host port leads to one container port',
  );
}
