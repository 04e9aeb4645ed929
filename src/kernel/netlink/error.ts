/** What the kernel answers to a request that fails, with its own explanation (extended acknowledgement). */
import { errnoName, errnoText } from '../../lib/errno.ts';
import { SystemError } from '../sys/libc.ts';
import { attribute, attributes } from './attributes.ts';
import { CodecError, readU32 } from './bytes.ts';
import { cstring, u32 } from './codec.ts';
import { NLM_F_ACK_TLVS, NLM_F_CAPPED } from './message.ts';

/** A request that the kernel refused. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** The error's name, e.g. `EEXIST`; the same property that node:fs errors have. */
  readonly code: string;

  constructor(
    /** What was tried, on what: `create link veth1234`. */
    readonly operation: string,
    /** The error number, positive, as in errno(3). */
    readonly errno: number,
    /** The kernel's own message (NLMSGERR_ATTR_MSG), where it gives one. */
    readonly kernelMessage?: string,
    /** Where in the request the kernel found fault, in bytes from its header (NLMSGERR_ATTR_OFFS). */
    readonly offset?: number,
  ) {
    const said = kernelMessage === undefined ? '' : `: the kernel says “${kernelMessage}”`;
    super(`${operation}: ${errnoText(errno)} (${errnoName(errno)})${said}`);
    this.code = errnoName(errno);
  }
}

/** Whether something thrown is the kernel's refusal for one of the given reasons, e.g. `ENODEV`; for any if none is given. */
export function isNetlinkError(error: unknown, ...codes: string[]): error is NetlinkError {
  return error instanceof NetlinkError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * Runs `call` and puts the operation before what goes wrong below the level of requests: sockets (SystemError) and
 * answers that are not what they say they are (CodecError). A NetlinkError names its operation already.
 */
export function explain<T>(operation: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof CodecError)
      throw new CodecError(`${operation}: the kernel's answer: ${error.message}`);
    if (error instanceof SystemError) throw new SystemError(`${operation}: ${error.operation}`, error.errno);
    throw error;
  }
}

/** enum nlmsgerr_attrs, linux/netlink.h. */
const acknowledgement = attributes({
  message: attribute(1, cstring),
  offset: attribute(2, u32),
});

/** How a request (NLMSG_ERROR) or a dump (NLMSG_DONE) ended: errno 0 is success. */
export interface Acknowledgement {
  readonly errno: number;
  readonly message?: string | undefined;
  readonly offset?: number | undefined;
}

/** Reads struct nlmsgerr and what follows it; with NETLINK_CAP_ACK the request's payload is not repeated. */
export function decodeAcknowledgement(body: Uint8Array, flags: number): Acknowledgement {
  if (body.length < 20) throw new CodecError(`netlink: an acknowledgement of ${body.length} bytes`);
  const errno = 0 - (readU32(body, 0) | 0); // not a unary minus, which makes -0 of success
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  const echoed = (flags & NLM_F_CAPPED) === 0 ? readU32(body, 4) : 16;
  if (echoed < 16 || 4 + echoed > body.length) throw new CodecError(`netlink: an echo of ${echoed} bytes`);
  return { errno, ...acknowledgement.decode(body.subarray(4 + echoed)) };
}

/** Reads what an NLMSG_DONE says of its dump: an int, and attributes since Linux 4.20. Nothing at all is success. */
export function decodeDumpResult(body: Uint8Array, flags: number): Acknowledgement {
  if (body.length < 4) return { errno: 0 };
  const errno = 0 - (readU32(body, 0) | 0);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  return { errno, ...acknowledgement.decode(body.subarray(4)) };
}
