/** Questions to servers and their answers, over a socket in the container's namespace. */
import type { NetworkNamespace } from '../../../kernel/netns/netns.ts';
import { openPacketSocket } from '../../../kernel/socket/packet.ts';
import { openUdpSocket } from '../../../kernel/socket/udp.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { type IpAddress, parseAddress } from '../../../lib/ip.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import type { Interface } from './lease.ts';
import { pause } from './pause.ts';
import { decodeMessage, type ServerMessage } from './protocol/message.ts';
import {
  decodeFrame,
  ETH_P_IP,
  encodeFrame,
  filterOfPort,
  type ReceivedDatagram,
} from './protocol/packet.ts';

const clientPort = 68;
const serverPort = 67;
const broadcastMac = 'ff:ff:ff:ff:ff:ff';
const [nowhere, everywhere] = ['0.0.0.0', '255.255.255.255'].map(
  (text) => parseAddress(text) as IpAddress,
) as [IpAddress, IpAddress];

/** An answer, and whose frame it came in. */
export interface Answer {
  readonly message: ServerMessage;
  readonly fromMac: MacAddress;
}

/** A way to servers. `using` closes it. */
export interface Wire extends Disposable {
  send(payload: Uint8Array): void;
  receive(): ReceivedDatagram | undefined;
}

/** Where frames of our own go to. */
interface Target {
  readonly mac: MacAddress;
  readonly address: IpAddress;
  readonly from?: IpAddress;
}

/** By frames of our own, to a server of a known hardware address or to all: for who has no address yet, or soon no link. Throws SystemError. */
export function rawWire(
  netns: NetworkNamespace,
  { index, mac }: Interface,
  { mac: toMac, address: to, from = nowhere }: Target = { mac: broadcastMac, address: everywhere },
): Wire {
  const socket = openPacketSocket(
    { link: index, etherType: ETH_P_IP, filter: filterOfPort(clientPort) },
    netns,
  );
  return {
    send(payload) {
      const ends = { fromMac: mac, toMac, from, to, fromPort: clientPort, toPort: serverPort };
      socket.send(encodeFrame({ ...ends, payload }));
    },
    receive() {
      for (let frame = socket.receiveNow(); frame !== undefined; frame = socket.receiveNow()) {
        const datagram = decodeFrame(frame, clientPort);
        if (datagram !== undefined) return datagram;
      }
      return undefined;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/**
 * By the kernel's UDP, from the address that the interface has: it may be routed. Received is as by `rawWire`, since a
 * server broadcasts its NAK. Throws SystemError where the kernel has not the address, or a program in the container has the port.
 */
export function udpWire(netns: NetworkNamespace, link: Interface, from: IpAddress, to: IpAddress): Wire {
  const ends = { from: { address: from, port: clientPort }, to: { address: to, port: serverPort } };
  const socket = openUdpSocket({ ...ends, device: link.name }, netns);
  try {
    const raw = rawWire(netns, link);
    return {
      send: (payload) => socket.send(payload),
      receive: () => raw.receive(),
      [Symbol.dispose]() {
        raw[Symbol.dispose]();
        socket.close();
      },
    };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What is asked. */
export interface Question<T> {
  readonly transactionId: number;
  /** The hardware address that an answer must name. */
  readonly mac: MacAddress;
  /** The message, so many seconds after the first one. */
  message(seconds: number): Uint8Array;
  /** What an answer comes to; undefined for one that is not waited for. */
  accept(answer: Answer): T | undefined;
  /** For how long it is asked, in milliseconds. */
  readonly forMs: number;
  /** The longest time until it is asked again. */
  readonly resendMax: number;
  readonly signal: AbortSignal;
}

/** After so many milliseconds it is asked for the second time; then each time after twice as long (RFC 2131 section 4.1). */
const firstResend = 1000;

/** What the first answer that is accepted comes to; undefined where none comes in time. Throws the signal's reason, and SystemError where the link is gone. */
export async function ask<T>(wire: Wire, question: Question<T>): Promise<T | undefined> {
  const { forMs, resendMax, signal } = question;
  const start = performance.now();
  let [sent, next, wait] = [start, start, Math.min(firstResend, resendMax)];
  for (;;) {
    signal.throwIfAborted();
    const now = performance.now();
    if (now >= start + forMs) return undefined;
    if (now >= next) {
      sendIfUp(wire, question.message(Math.floor((now - start) / 1000)));
      sent = now;
      // By up to a tenth more or less, so that those who began together do not go on together.
      next = now + wait * (0.9 + Math.random() * 0.2);
      wait = Math.min(wait * 2, resendMax);
    }
    const accepted = acceptedOf(wire, question);
    if (accepted !== undefined) return accepted;
    await pause(pollInterval(performance.now() - sent), signal);
  }
}

/** Servers answer at once, or after they have looked whether an address is free. In milliseconds. */
function pollInterval(sinceSent: number): number {
  return sinceSent < 100 ? 2 : 20;
}

/** What a link that is down, a route that is missing or a server's refusal of a port say: it may pass. */
const passing = ['ENETDOWN', 'ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED', 'ENOBUFS', 'EAGAIN', 'EPERM'];

function unlessPassing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError && passing.includes(error.code)) return undefined;
    throw error;
  }
}

function sendIfUp(wire: Wire, payload: Uint8Array): void {
  unlessPassing(() => wire.send(payload));
}

/** Many packets may have come that are none of ours; the first that is accepted ends the question. */
function acceptedOf<T>(wire: Wire, { transactionId, mac, accept }: Question<T>): T | undefined {
  const receive = () => unlessPassing(() => wire.receive());
  for (let received = receive(); received !== undefined; received = receive()) {
    const message = decodeMessage(received.payload);
    if (message?.transactionId !== transactionId || message.mac !== mac) continue;
    const accepted = accept({ message, fromMac: received.fromMac });
    if (accepted !== undefined) return accepted;
  }
  return undefined;
}
