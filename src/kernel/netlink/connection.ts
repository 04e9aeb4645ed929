/**
 * A netlink connection: requests, dumps, acknowledgements.
 *
 * Calls are synchronous. The kernel handles a request inside send(2), so an answer is there when send returns;
 * several requests in one datagram are therefore also as good as one step to a process that may be killed.
 */
import { errnoNumber } from '../../lib/errno.ts';
import { type Tracer, tracer } from '../../lib/trace.ts';
import { SystemError } from '../sys/libc.ts';
import { createWriter } from './bytes.ts';
import { decodeAcknowledgement, decodeDumpResult, explain, NetlinkError } from './error.ts';
import {
  type Frame,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  type Request,
  readFrames,
  writeFrame,
} from './message.ts';
import { type NetlinkSocket, openSocket, type SocketPlace } from './socket.ts';

export { NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE } from './socket.ts';

/** Dumps that the kernel marks as interrupted by a change are repeated, at most so often. */
const dumpAttempts = 64;
/** Requests in one datagram at most: their acknowledgements must fit the receive buffer, by default 212,992 bytes. */
const requestsPerDatagram = 100;

/** An open connection. It belongs to the network namespace in which it was opened, for good. */
export interface Connection {
  /** Sends one request and returns the messages the kernel answers with, none for most. Throws NetlinkError. */
  request(request: Request, manner?: Manner): Frame[];
  /**
   * Sends requests that change something, up to a hundred in one datagram. The kernel tries each in order, whatever
   * becomes of those before it. Throws the first NetlinkError once all are answered.
   */
  requestAll(requests: readonly Request[]): void;
  /** Asks for a dump, repeated until one was not interrupted by changes, and returns its messages. Throws NetlinkError. */
  dump(request: Request): Frame[];
  /**
   * For protocols with transactions of their own (nfnetlink): sends a datagram of frames whose sequence
   * numbers `write` takes from its argument, and hands over every message that comes back until `done` says so.
   * When `done` answers 'drain', what is there already is still read, without waiting.
   */
  exchange: Exchange;
  close(): void;
  readonly fd: number;
}

/** How a request is sent and answered, where it is not by the socket at once and by its acknowledgement. */
export interface Manner {
  readonly send: (datagram: Uint8Array) => void;
  /** Whether a message says that the request is done, before its acknowledgement does. */
  readonly isDone: (frame: Frame) => boolean;
}

type Exchange = (
  write: (nextSequence: () => number) => Uint8Array,
  done: (frame: Frame) => 'more' | 'drain' | 'done',
  send?: (datagram: Uint8Array) => void,
) => void;

/** Opens a connection of the given netlink family in a network namespace, the process's own if none is given. Throws SystemError. */
export function openConnection(protocol: number, netns?: SocketPlace): Connection {
  const connection = connectionOn(openSocket(protocol, netns));
  return tracer === undefined ? connection : traced(connection, tracer, netns?.path);
}

function traced(connection: Connection, by: Tracer, netns: string | undefined): Connection {
  const kind = 'netlink';
  return {
    ...connection,
    request: (request, manner) =>
      by.span({ kind, text: request.operation, netns, requests: [request] }, () =>
        connection.request(request, manner),
      ),
    requestAll: (requests) =>
      by.span({ kind, text: `${requests.length} requests in one datagram`, netns, requests }, () =>
        connection.requestAll(requests),
      ),
    dump: (request) =>
      by.span({ kind, text: request.operation, netns, requests: [request] }, () => connection.dump(request)),
  };
}

/** A connection over a socket that is open already, and that is the connection's from then on. */
export function connectionOn(socket: NetlinkSocket): Connection {
  let sequence = 0;
  const exchange: Exchange = (write, done, send = socket.send) => {
    send(write(() => ++sequence));
    for (;;) {
      for (const frame of framesOf(receive(socket))) {
        const state = done(frame);
        if (state === 'drain') return drain(socket);
        if (state === 'done') return;
      }
    }
  };

  return {
    fd: socket.fd,
    exchange,
    request: (request, manner) => {
      const { answers, failure } = sendRequests(exchange, [request], manner);
      if (failure !== undefined) throw failure;
      return answers;
    },
    requestAll: (requests) => {
      let first: NetlinkError | undefined;
      for (let start = 0; start < requests.length; start += requestsPerDatagram) {
        const { failure } = sendRequests(exchange, requests.slice(start, start + requestsPerDatagram));
        first ??= failure;
      }
      if (first !== undefined) throw first;
    },
    dump: (request) => dump(exchange, request),
    close: () => socket.close(),
  };
}

/** A datagram's messages; one that says that others were lost is ENOBUFS, as the socket says it nowadays. */
function framesOf(datagram: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (const frame of readFrames(datagram)) {
    if (frame.type === NLMSG_OVERRUN)
      throw new SystemError('receive netlink messages', errnoNumber('ENOBUFS'));
    if (frame.type !== NLMSG_NOOP) frames.push(frame);
  }
  return frames;
}

/** After a loss the kernel sends nothing more until all that is there was read (NETLINK_S_CONGESTED, af_netlink.c). */
function receive(socket: NetlinkSocket): Uint8Array {
  try {
    return socket.receive();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOBUFS') drain(socket);
    throw error;
  }
}

function drain(socket: NetlinkSocket): void {
  while (socket.receiveNow() !== undefined);
}

/** Sends requests in one datagram; all are answered when this returns, the first of the failed with its failure. */
function sendRequests(
  exchange: Exchange,
  requests: readonly Request[],
  manner?: Manner,
): { answers: Frame[]; failure: NetlinkError | undefined } {
  const bySequence = new Map<number, Request>();
  const answers: Frame[] = [];
  let failure: NetlinkError | undefined;
  const write = (next: () => number) => {
    const writer = createWriter();
    for (const request of requests) {
      const number = next();
      bySequence.set(number, request);
      const flags = NLM_F_REQUEST | NLM_F_ACK | (request.flags ?? 0);
      writeFrame(writer, request.type, flags, number, request.body);
    }
    return writer.finish();
  };
  const done = (frame: Frame) => {
    if (manner?.isDone(frame)) return 'done';
    const request = bySequence.get(frame.sequence);
    if (request === undefined) return 'more'; // an answer to an earlier, abandoned request
    if (frame.type !== NLMSG_ERROR) {
      answers.push(frame);
      return 'more';
    }
    bySequence.delete(frame.sequence);
    failure ??= failureOf(request, frame);
    return bySequence.size === 0 ? 'done' : 'more';
  };
  explain(requests[0]?.operation ?? '', () => exchange(write, done, manner?.send));
  return { answers, failure };
}

function dump(exchange: Exchange, request: Request): Frame[] {
  const { operation } = request;
  for (let attempt = 0; attempt < dumpAttempts; attempt++) {
    const frames = explain(operation, () => dumpOnce(exchange, request));
    if (frames !== 'interrupted') return frames;
  }
  const changed = `the list changed during each of ${dumpAttempts} readings`;
  throw new SystemError(`${operation}: ${changed}`, errnoNumber('ESTALE'));
}

/** One attempt at a dump. It is read to its end even when interrupted: the kernel begins no other before. */
function dumpOnce(exchange: Exchange, request: Request): Frame[] | 'interrupted' {
  const frames: Frame[] = [];
  let expected = 0;
  let failure: NetlinkError | undefined;
  let interrupted = false;
  const write = (next: () => number) => {
    expected = next();
    const writer = createWriter();
    const flags = NLM_F_REQUEST | NLM_F_DUMP | (request.flags ?? 0);
    writeFrame(writer, request.type, flags, expected, request.body);
    return writer.finish();
  };
  const done = (frame: Frame) => {
    if (frame.sequence !== expected) return 'more';
    if ((frame.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
    if (frame.type === NLMSG_ERROR || frame.type === NLMSG_DONE) {
      failure = failureOf(request, frame);
      return 'done';
    }
    frames.push(frame);
    return 'more';
  };
  exchange(write, done);
  if (failure !== undefined) throw failure;
  return interrupted ? 'interrupted' : frames;
}

/** The failure that an NLMSG_ERROR or NLMSG_DONE reports, undefined for success. */
function failureOf(request: Request, { type, flags, body }: Frame): NetlinkError | undefined {
  const decode = type === NLMSG_DONE ? decodeDumpResult : decodeAcknowledgement;
  const { errno, message, offset } = decode(body, flags);
  return errno === 0 ? undefined : new NetlinkError(request.operation, errno, message, offset);
}
