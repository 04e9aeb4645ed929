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

/**
 * The keys of portmap. Rules are nftables' with either `backend`: the word is taken so that conflists stay valid. What
 * is right in the reference and impossible here is refused by `refuseImpossible`, and not by the schema: DEL has to
 * work on a node whose conflist was written for the reference.
 */
export const portmapSchema = object({
  backend: enumeration('iptables', 'nftables').optional(),
  snat: boolean().default(true),
  masqAll: boolean().default(false),
  markMasqBit: integer({ min: 0, max: 31 }).optional(),
  externalSetMarkChain: string().optional(),
  conditionsV4: array(string()).default([]),
  conditionsV6: array(string()).default([]),
}).refine(({ markMasqBit, externalSetMarkChain }, report) => {
  if (markMasqBit !== undefined && externalSetMarkChain !== undefined)
    report('must not be set together with `markMasqBit`', 'externalSetMarkChain');
});

/** The configuration, checked. */
export type PortmapConfig = Infer<typeof portmapSchema>;

/** The bit that says "to be masqueraded". */
export function markBitOf(config: PortmapConfig): number {
  return config.markMasqBit ?? defaultMarkBit;
}

/** Throws a CniError (7) for what cannot be done with nftables. */
export function refuseImpossible(config: PortmapConfig): void {
  if (config.externalSetMarkChain !== undefined) {
    throw refusal(
      'externalSetMarkChain',
      'must be left out: it names a chain of iptables, and Fairlead writes nftables; set `markMasqBit` to the bit that the chain sets',
    );
  }
  for (const [key, family] of [
    ['conditionsV4', 4],
    ['conditionsV6', 6],
  ] as const) {
    const parsed = parseConditions(config[key], family);
    if ('problem' in parsed) throw refusal(key, parsed.problem);
  }
}

function refusal(key: string, problem: string): CniError {
  return new CniError('invalidConfig', `\`${key}\` of plugin \`portmap\` ${problem}`);
}

const port = integer({ min: 1, max: 65535 });

/** A mapping as the runtime gives it. */
export const mappingSchema = object({
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

/** The runtime's mappings. Throws a CniError (7) for what is none. */
export function portMappings(request: Request<PortmapConfig>): PortMapping[] {
  const given = runtimeValue(request, array(mappingSchema), { runtimeConfig: 'portMappings' }) ?? [];
  return given.map(({ protocol, hostIP, ...ports }) => ({
    ...ports,
    protocol: protocol as Protocol,
    ...(hostIP !== '' && { hostIP }),
  }));
}
