/** What bandwidth's configuration says: the reference's keys, checked, and the limits that hold for an attachment. */
import { type Infer, integer, object, type Request, runtimeValue } from '../../../cni/index.ts';
import type { Report } from '../../../cni/schema/index.ts';

const bits = integer({ min: 0 }).optional();

/** The reference's limit: what a 32-bit number of bytes can say, in bits. */
const mostBurst = 0xffff_ffff * 8 - 1;
/** A bucket fills by whole bytes. */
const leastRate = 8;

const directions = ['ingress', 'egress'] as const;

interface Limits {
  readonly ingressRate?: number | undefined;
  readonly ingressBurst?: number | undefined;
  readonly egressRate?: number | undefined;
  readonly egressBurst?: number | undefined;
}

function checkLimits(limits: Limits, report: Report): void {
  for (const direction of directions) {
    const [rateKey, burstKey] = [`${direction}Rate`, `${direction}Burst`] as const;
    const { [rateKey]: rate = 0, [burstKey]: burst = 0 } = limits;
    if (rate !== 0 && burst === 0) report(`must not be set without \`${burstKey}\``, rateKey);
    if (rate === 0 && burst !== 0) report(`must not be set without \`${rateKey}\``, burstKey);
    if (burst > mostBurst) report(`must be at most ${mostBurst} bits (4 GB), got ${burst}`, burstKey);
    if (rate > 0 && rate < leastRate)
      report(`must be at least ${leastRate} bits a second, got ${rate}`, rateKey);
  }
}

/** The keys of bandwidth, in bits a second and bits; as `runtimeConfig.bandwidth` has them too. */
export const bandwidthSchema = object({
  ingressRate: bits,
  ingressBurst: bits,
  egressRate: bits,
  egressBurst: bits,
}).refine(checkLimits);

/** The configuration, checked. */
export type BandwidthConfig = Infer<typeof bandwidthSchema>;

/** A limit of one direction. */
export interface Limit {
  /** Bits a second. */
  readonly rate: number;
  /** Bits that may go at once. */
  readonly burst: number;
}

/** The limits of an attachment, as seen from the container: `ingress` is what it gets, `egress` what it sends. */
export type BandwidthLimits = { readonly [K in (typeof directions)[number]]?: Limit };

/**
 * The configuration's limits, or where it names none the runtime's. In this order as the reference has it, so that
 * what the node's operator writes holds for everybody. Throws a `CniError` (7) for what the runtime gives wrongly.
 */
export function limitsOf(request: Request<BandwidthConfig>): BandwidthLimits {
  const isConfigured = Object.keys(request.config).length > 0;
  const given = isConfigured
    ? request.config
    : (runtimeValue(request, bandwidthSchema, { runtimeConfig: 'bandwidth' }) ?? {});
  const { ingressRate = 0, ingressBurst = 0, egressRate = 0, egressBurst = 0 } = given;
  return {
    ...(ingressRate > 0 && { ingress: { rate: ingressRate, burst: ingressBurst } }),
    ...(egressRate > 0 && { egress: { rate: egressRate, burst: egressBurst } }),
  };
}
