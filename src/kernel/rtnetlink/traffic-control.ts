/** What qdiscs and filters share: struct tcmsg and the TCA_ attributes (linux/rtnetlink.h). */
import { attribute, nestedBytes } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { type Codec, cstring, i32, reserved, u8, u32 } from '../netlink/codec.ts';
import { messageLayout } from '../netlink/message.ts';

/** Handles are MAJOR:MINOR, 16 bits each (linux/pkt_sched.h). These are places, not handles. */
export const TC_H_ROOT = 0xffff_ffff;
export const TC_H_INGRESS = 0xffff_fff1;
/** `ffff:`, the ingress qdisc's handle, which is the parent of its filters. */
export const ingressHandle = 0xffff_0000;

/** The message of RTM_NEWQDISC, NEWTFILTER and theirs. */
export const trafficControlMessage = messageLayout(
  { family: u8, pad: reserved(3), link: i32, handle: u32, parent: u32, info: u32 },
  { kind: attribute(1, cstring), options: attribute(2, nestedBytes()) },
);

/** Encodes what a kind of qdisc or filter has to say (TCA_OPTIONS). Throws CodecError. */
export function encodeOptions<T>(codec: Codec<T>, value: NoInfer<T>): Uint8Array {
  const writer = createWriter();
  codec.encode(writer, value);
  return writer.finish();
}
