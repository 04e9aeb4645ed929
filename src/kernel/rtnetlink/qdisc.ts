/** Queueing disciplines: the token bucket (tbf), which holds a link's packets to a rate, and `ingress`, which filters hang on. */
import { attribute, attributes } from '../netlink/attributes.ts';
import { reserved, struct, u8, u16, u32, u64 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from '../netlink/message.ts';
import type { LinkIdentity } from './link.ts';
import {
  encodeOptions,
  ingressHandle,
  TC_H_INGRESS,
  TC_H_ROOT,
  trafficControlMessage,
} from './traffic-control.ts';

const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const RTM_GETQDISC = 38;

/** `1:`, the handle that root qdiscs get here, as tc's users give it. */
const rootHandle = 0x1_0000;
/** TC_LINKLAYER_ETHERNET: the kernel needs no table of transmission times then. */
const ethernet = 1;
const max32 = 0xffff_ffff;

/** struct tc_tbf_qopt with the struct tc_ratespec in it, linux/pkt_sched.h. Nothing is said of a peak rate. */
const parameters = struct({
  cellLog: u8,
  linkLayer: u8,
  overhead: u16,
  cellAlign: u16,
  minimum: u16,
  rate: u32,
  peak: reserved(12),
  limit: u32,
  buffer: u32,
  mtu: u32,
});

const blank = { cellLog: 0, overhead: 0, cellAlign: 0, minimum: 0, peak: undefined, mtu: 0 };

/** TCA_TBF_*, linux/pkt_sched.h. */
const tbfOptions = attributes({ parameters: attribute(1, parameters), rate64: attribute(4, u64) });

/** A token bucket. */
export interface TokenBucket {
  /** Bytes a second. */
  readonly rate: number;
  /** Bytes that may wait; more are dropped. */
  readonly limit: number;
  /** How long the bucket lasts at that rate: what may go at once, in the kernel's ticks of 64 ns. */
  readonly buffer: number;
}

/** A qdisc that is there. */
export interface Qdisc {
  readonly linkIndex: number;
  /** The kernel's word for its kind: `tbf`, `ingress`, `noqueue`. */
  readonly kind: string;
  readonly at: 'root' | 'ingress' | 'inside';
  /** Only of a `tbf`. */
  readonly tokenBucket?: TokenBucket | undefined;
}

/** Holds what leaves by a link to a rate; EEXIST when somebody has set its root qdisc already. */
export function addTokenBucketRequest(link: LinkIdentity, { rate, limit, buffer }: TokenBucket): Request {
  const options = {
    parameters: { ...blank, linkLayer: ethernet, rate: Math.min(rate, max32), limit, buffer },
    ...(rate > max32 && { rate64: BigInt(rate) }),
  };
  return {
    operation: `add a token bucket of ${rate} bytes a second to link ${link.name}`,
    type: RTM_NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: trafficControlMessage.encode(
      { link: link.index, handle: rootHandle, parent: TC_H_ROOT },
      { kind: 'tbf', options: encodeOptions(tbfOptions, options) },
    ),
  };
}

/** Makes the place where filters see what arrives by a link; EEXIST when it is there. */
export function addIngressRequest(link: LinkIdentity): Request {
  return {
    operation: `add an ingress qdisc to link ${link.name}`,
    type: RTM_NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: trafficControlMessage.encode(
      { link: link.index, handle: ingressHandle, parent: TC_H_INGRESS },
      { kind: 'ingress' },
    ),
  };
}

/** Removes a link's root or ingress qdisc, with its filters; ENOENT (root) or EINVAL (ingress) when there is none. */
export function deleteQdiscRequest(link: LinkIdentity, at: 'root' | 'ingress'): Request {
  return {
    operation: `delete the ${at} qdisc of link ${link.name}`,
    type: RTM_DELQDISC,
    body: trafficControlMessage.encode(
      { link: link.index, parent: at === 'root' ? TC_H_ROOT : TC_H_INGRESS },
      {},
    ),
  };
}

/** The qdiscs of a link. The kernel tells those of all links. Throws NetlinkError. */
export function listQdiscs(connection: Connection, link: LinkIdentity): Qdisc[] {
  const body = trafficControlMessage.encode({ link: link.index }, {});
  const frames = connection.dump({ operation: 'list qdiscs', type: RTM_GETQDISC, body });
  return frames.flatMap((frame) => {
    const { header, attributes: values } = trafficControlMessage.decode(frame.body);
    const { kind = '', options } = values;
    if (header.link !== link.index) return [];
    const tokenBucket = kind === 'tbf' && options !== undefined ? decodeTokenBucket(options) : undefined;
    return [{ linkIndex: header.link, kind, at: placeOf(header.parent), tokenBucket }];
  });
}

function placeOf(parent: number): Qdisc['at'] {
  if (parent === TC_H_ROOT) return 'root';
  return parent === TC_H_INGRESS ? 'ingress' : 'inside';
}

function decodeTokenBucket(options: Uint8Array): TokenBucket | undefined {
  const { parameters: given, rate64 } = tbfOptions.decode(options);
  if (given === undefined) return undefined;
  const { rate, limit, buffer } = given;
  return { rate: rate64 === undefined ? rate : Number(rate64), limit, buffer };
}
