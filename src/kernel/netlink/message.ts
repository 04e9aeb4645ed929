/** Netlink messages: header and frames (linux/netlink.h, struct nlmsghdr; RFC 3549 section 2.2). */
import { type AttributeFields, type AttributeValues, attributes } from './attributes.ts';
import { align4, CodecError, createWriter, readU16, readU32, type Writer } from './bytes.ts';
import { type StructFields, type StructValue, struct } from './codec.ts';

const headerSize = 16;

/** Message types below NLMSG_MIN_TYPE are netlink's own. */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
/** On a dump, NLM_F_ROOT | NLM_F_MATCH. */
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
/** On NLMSG_ERROR: the request is not repeated in the answer, and attributes follow. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

/** What is sent: a message without sequence number, and what it does, for errors and traces. */
export interface Request {
  /** In words and with its object, e.g. `create link veth1234`. */
  readonly operation: string;
  /** The message type, e.g. RTM_NEWLINK. */
  readonly type: number;
  /** NLM_F_ flags besides NLM_F_REQUEST and NLM_F_ACK, which the connection adds. */
  readonly flags?: number;
  readonly body: Uint8Array;
}

/** What was received: one message, its body a view into the datagram. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** Appends a message in a frame of its own. */
export function writeFrame(
  writer: Writer,
  type: number,
  flags: number,
  sequence: number,
  body: Uint8Array,
): void {
  writer.u32(headerSize + body.length);
  writer.u16(type);
  writer.u16(flags);
  writer.u32(sequence);
  writer.u32(0); // port id: to the kernel
  writer.bytes(body);
  writer.zeros(align4(body.length) - body.length);
}

/** Splits a datagram into messages. Throws CodecError when a length does not fit what is there. */
export function readFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const rest = bytes.length - offset;
    if (rest < headerSize) throw new CodecError(`netlink: ${rest} bytes left over at offset ${offset}`);
    const length = readU32(bytes, offset);
    if (length < headerSize || length > rest) {
      throw new CodecError(`netlink: message at offset ${offset} says ${length} bytes, ${rest} are there`);
    }
    frames.push({
      type: readU16(bytes, offset + 4),
      flags: readU16(bytes, offset + 6),
      sequence: readU32(bytes, offset + 8),
      body: bytes.subarray(offset + headerSize, offset + length),
    });
    offset += align4(length);
  }
  return frames;
}

/** A message's body declared once: a fixed structure, then attributes. */
export interface MessageLayout<H extends StructFields, A extends AttributeFields> {
  encode(
    header: { [K in keyof H]?: StructValue<H>[K] | undefined },
    values: AttributeValues<A>,
  ): Uint8Array<ArrayBuffer>;
  decode(body: Uint8Array): { header: StructValue<H>; attributes: AttributeValues<A> };
}

/** Declares a message's body, e.g. struct ifinfomsg and the IFLA_ attributes. */
export function messageLayout<H extends StructFields, A extends AttributeFields>(
  headerFields: H,
  attributeFields: A,
): MessageLayout<H, A> {
  const header = struct(headerFields);
  const set = attributes(attributeFields);
  return {
    encode: (headerValue, values) => {
      const writer = createWriter();
      header.encode(writer, headerValue);
      writer.zeros(align4(header.size) - header.size);
      set.encode(writer, values);
      return writer.finish();
    },
    decode: (body) => ({
      header: header.decode(body),
      attributes: set.decode(body.subarray(align4(header.size))),
    }),
  };
}
