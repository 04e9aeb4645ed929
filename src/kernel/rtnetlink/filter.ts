/**
 * Traffic-control filters: here the one that sends everything that arrives by a link out of another one. It is `u32`
 * with the action `mirred`, which every kernel with traffic control has; `matchall` is newer, and left out of some.
 */
import { attribute, attributes } from '../netlink/attributes.ts';
import { be16, be32, cstring, i32, reserved, struct, u8, u16, u32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from '../netlink/message.ts';
import type { LinkIdentity } from './link.ts';
import { encodeOptions, ingressHandle, trafficControlMessage } from './traffic-control.ts';

const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
/** ETH_P_ALL in network byte order, below the priority in the header's info (TC_H_MAKE). */
const everyProtocol = 0x0300;
const firstPriority = 0x1_0000;
/** `1:1`, the class that nobody looks at, as the reference's plugin gives it. */
const anyClass = 0x1_0001;
const TC_U32_TERMINAL = 1;
const TC_ACT_STOLEN = 4;
const TCA_EGRESS_REDIR = 1;

/** struct tc_u32_sel with one struct tc_u32_key, linux/pkt_cls.h. A key whose mask is 0 matches everything. */
const selector = struct({
  flags: u8,
  offsetShift: u8,
  keys: u8,
  pad: reserved(1),
  offsetMask: be16,
  offset: u16,
  offsetOffset: u16,
  hashOffset: u16,
  hashMask: be32,
  keyMask: be32,
  keyValue: be32,
  keyOffset: i32,
  keyOffsetMask: i32,
});

/** struct tc_mirred, linux/tc_act/tc_mirred.h. */
const redirection = struct({
  index: u32,
  capabilities: u32,
  action: i32,
  references: i32,
  bindings: i32,
  how: i32,
  link: u32,
});

/** TCA_MIRRED_*, linux/tc_act/tc_mirred.h. */
const mirredOptions = attributes({ redirection: attribute(2, redirection) });
/** TCA_ACT_*, linux/pkt_cls.h. */
const action = attributes({ actionKind: attribute(1, cstring), actionOptions: attribute(2, mirredOptions) });
/** Actions by their order, from 1; the reference's plugin sends two, alike in what they do. */
const first = 1;
const actions = attributes({
  firstAction: attribute(first, action),
  secondAction: attribute(first + 1, action),
});
/** TCA_U32_*, linux/pkt_cls.h. */
const u32Options = attributes({
  classId: attribute(1, u32),
  selector: attribute(5, selector),
  actions: attribute(7, actions),
});

/** Sends everything that arrives by `from`, which has an ingress qdisc, out of `to`; EINVAL when it has none. */
export function redirectArrivingRequest(from: LinkIdentity, to: LinkIdentity): Request {
  const mirred = { action: TC_ACT_STOLEN, how: TCA_EGRESS_REDIR, link: to.index };
  const options = encodeOptions(u32Options, {
    classId: anyClass,
    selector: { ...everyPacket },
    actions: { firstAction: { actionKind: 'mirred', actionOptions: { redirection: blank(mirred) } } },
  });
  return {
    operation: `redirect what arrives by link ${from.name} to link ${to.name}`,
    type: RTM_NEWTFILTER,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: trafficControlMessage.encode(
      { link: from.index, parent: ingressHandle, info: firstPriority | everyProtocol },
      { kind: 'u32', options },
    ),
  };
}

const everyPacket = {
  flags: TC_U32_TERMINAL,
  offsetShift: 0,
  keys: 1,
  pad: undefined,
  offsetMask: 0,
  offset: 0,
  offsetOffset: 0,
  hashOffset: 0,
  hashMask: 0,
  keyMask: 0,
  keyValue: 0,
  keyOffset: 0,
  keyOffsetMask: 0,
};

function blank(given: { readonly action: number; readonly how: number; readonly link: number }) {
  return { index: 0, capabilities: 0, references: 0, bindings: 0, ...given };
}

/** The indexes of the links that filters send to what arrives by a link. Throws NetlinkError. */
export function listRedirections(connection: Connection, from: LinkIdentity): number[] {
  const body = trafficControlMessage.encode({ link: from.index, parent: ingressHandle }, {});
  const operation = `list filters of link ${from.name}`;
  try {
    const frames = connection.dump({ operation, type: RTM_GETTFILTER, body });
    return frames.flatMap((frame) => redirectionsOf(frame.body));
  } catch (error) {
    if (isNetlinkError(error, 'ENODEV', 'EINVAL')) return [];
    throw error;
  }
}

function redirectionsOf(body: Uint8Array): number[] {
  const { kind, options } = trafficControlMessage.decode(body).attributes;
  if (kind !== 'u32' || options === undefined) return [];
  const { firstAction, secondAction } = u32Options.decode(options).actions ?? {};
  return [firstAction, secondAction].flatMap((each) => {
    const found = each?.actionKind === 'mirred' ? each.actionOptions?.redirection : undefined;
    return found?.how === TCA_EGRESS_REDIR ? [found.link] : [];
  });
}
