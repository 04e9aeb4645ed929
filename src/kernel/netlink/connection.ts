/**
 * A netlink socket: requests, dumps, acknowledgements.
 *
 * Calls are synchronous. The kernel handles a request inside send(2), so an answer is there when send returns;
 * several requests in one datagram are therefore also as good as one step to a process that may be killed.
 */
import { closeSync } from 'node:fs';
import { receive, send, setSocketOption, socket } from '../sys/libc.ts';
import { createWriter } from './bytes.ts';
import { decodeAcknowledgement, NetlinkError } from './error.ts';
import {
  type Frame,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Request,
  readFrames,
  writeFrame,
} from './message.ts';

/** Netlink families, linux/netlink.h. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const ESTALE = 116;
const EMSGSIZE = 90;

/** Larger than any message of the kernel's: it fills dumps up to 32 KiB (netlink_dump, af_netlink.c). */
const receiveBufferSize = 256 * 1024;
/** Dumps that the kernel marks as interrupted by a change are repeated, at most so often. */
const dumpAttempts = 64;

/** An open netlink socket. It belongs to the network namespace in which it was opened, for good. */
export interface Connection {
  /** Sends one request and returns the messages the kernel answers with, none for most. Throws NetlinkError. */
  request(request: Request): Frame[];
  /**
   * Sends requests in one datagram. The kernel tries each in order, whatever becomes of those before it.
   * Throws the first NetlinkError once all are answered.
   */
  requestAll(requests: readonly Request[]): void;
  /** Asks for a dump, repeated until one was not interrupted by changes, and returns its messages. Throws NetlinkError. */
  dump(request: Request): Frame[];
  /**
   * For protocols with transactions of their own (nfnetlink): sends a datagram of frames whose sequence
   * numbers `write` takes from its argument, and hands over every message that comes back until `done` says so.
   * When `done` answers 'drain', what is there already is still read, without waiting.
   */
  exchange(
    write: (nextSequence: () => number) => Uint8Array,
    done: (frame: Frame) => 'more' | 'drain' | 'done',
  ): void;
  close(): void;
  readonly fd: number;
}

/** Opens a netlink socket of the given family in the current network namespace. Throws SystemError. */
export function openConnection(protocol: number): Connection {
  const fd = socket(AF_NETLINK, SOCK_RAW, protocol);
  try {
    const one = new Uint8Array([1, 0, 0, 0]);
    setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, one);
    setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, one);
    if (protocol === NETLINK_ROUTE) setSocketOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, one);
    // An answer is there when send returns; ten seconds without one mean a kernel that will not answer.
    setSocketOption(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(new BigInt64Array([10n, 0n]).buffer));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const buffer = new Uint8Array(receiveBufferSize);
  let sequence = 0;
  const nextSequence = () => ++sequence;

  const receiveFrames = (flags = 0): Frame[] => {
    const length = receive(fd, buffer, MSG_TRUNC | flags);
    if (length > buffer.length) throw new NetlinkError('receive an answer', EMSGSIZE);
    // A copy, so that frames stay good when the buffer is used again.
    return readFrames(buffer.slice(0, length));
  };

  const exchange: Connection['exchange'] = (write, done) => {
    send(fd, write(nextSequence));
    for (;;) {
      for (const frame of receiveFrames()) {
        const state = done(frame);
        if (state === 'drain') return drain();
        if (state === 'done') return;
      }
    }
  };

  const drain = () => {
    try {
      for (;;) receiveFrames(MSG_DONTWAIT);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') throw error;
    }
  };

  const requestAll = (requests: readonly Request[], answers?: Frame[]) => {
    const bySequence = new Map<number, Request>();
    let failure: NetlinkError | undefined;
    if (requests.length === 0) return;
    exchange(
      (next) => {
        const writer = createWriter();
        for (const request of requests) {
          const number = next();
          bySequence.set(number, request);
          writeFrame(
            writer,
            request.type,
            NLM_F_REQUEST | NLM_F_ACK | (request.flags ?? 0),
            number,
            request.body,
          );
        }
        return writer.finish();
      },
      (frame) => {
        const request = bySequence.get(frame.sequence);
        if (request === undefined) return 'more'; // an answer to an earlier, abandoned request
        if (frame.type !== NLMSG_ERROR) {
          answers?.push(frame);
          return 'more';
        }
        bySequence.delete(frame.sequence);
        failure ??= failureOf(request, frame);
        return bySequence.size === 0 ? 'done' : 'more';
      },
    );
    if (failure !== undefined) throw failure;
  };

  const dumpOnce = (request: Request): Frame[] | 'interrupted' => {
    const frames: Frame[] = [];
    let expected = 0;
    let failure: NetlinkError | undefined;
    let interrupted = false;
    exchange(
      (next) => {
        expected = next();
        const writer = createWriter();
        const flags = NLM_F_REQUEST | NLM_F_DUMP | (request.flags ?? 0);
        writeFrame(writer, request.type, flags, expected, request.body);
        return writer.finish();
      },
      (frame) => {
        if (frame.sequence !== expected) return 'more';
        if ((frame.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (frame.type === NLMSG_ERROR || frame.type === NLMSG_DONE) {
          failure = failureOf(request, frame);
          return 'done';
        }
        frames.push(frame);
        return 'more';
      },
    );
    if (failure !== undefined) throw failure;
    return interrupted ? 'interrupted' : frames;
  };

  return {
    fd,
    exchange,
    request: (request) => {
      const answers: Frame[] = [];
      requestAll([request], answers);
      return answers;
    },
    requestAll: (requests) => requestAll(requests),
    dump: (request) => {
      for (let attempt = 0; attempt < dumpAttempts; attempt++) {
        const frames = dumpOnce(request);
        if (frames !== 'interrupted') return frames;
      }
      throw new NetlinkError(
        request.operation,
        ESTALE,
        `the list changed during each of ${dumpAttempts} readings`,
      );
    },
    close: () => closeSync(fd),
  };
}

/** The failure that an NLMSG_ERROR or NLMSG_DONE reports, undefined for success. */
function failureOf(request: Request, frame: Frame): NetlinkError | undefined {
  if (frame.type === NLMSG_DONE) {
    // NLMSG_DONE carries the dump's result as an int since Linux 4.5; nothing means success.
    const result =
      frame.body.length < 4 ? 0 : new DataView(frame.body.buffer, frame.body.byteOffset).getInt32(0, true);
    return result < 0 ? new NetlinkError(request.operation, -result) : undefined;
  }
  const { errno, message, offset } = decodeAcknowledgement(frame.body, frame.flags);
  return errno === 0 ? undefined : new NetlinkError(request.operation, errno, message, offset);
}
