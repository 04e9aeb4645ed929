/**
 * UDP over IPv4 over Ethernet by hand: a client without an address cannot send by the kernel's, and the kernel would
 * throw away an answer to an address that nobody has yet. RFC 894, RFC 791, RFC 768.
 */
import type { FilterInstruction } from '../../../../kernel/sys/sockets.ts';
import { addressToBytes, type IpAddress } from '../../../../lib/ip.ts';
import { type MacAddress, macFromBytes, macToBytes } from '../../../../lib/mac.ts';

/** An Ethernet frame's type for IPv4: linux/if_ether.h. */
export const ETH_P_IP = 0x0800;
const IPPROTO_UDP = 17;
const ethernetLength = 14;
const ipLength = 20;
const udpLength = 8;
const timeToLive = 64;

/** A datagram that is to be sent. */
export interface Datagram {
  readonly fromMac: MacAddress;
  readonly toMac: MacAddress;
  readonly from: IpAddress;
  readonly to: IpAddress;
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Uint8Array;
}

/** The whole frame. */
export function encodeFrame({ payload, ...datagram }: Datagram): Uint8Array {
  const frame = new Uint8Array(ethernetLength + ipLength + udpLength + payload.length);
  frame.set(macToBytes(datagram.toMac));
  frame.set(macToBytes(datagram.fromMac), 6);
  const view = new DataView(frame.buffer);
  view.setUint16(12, ETH_P_IP);
  const ip = frame.subarray(ethernetLength, ethernetLength + ipLength);
  view.setUint8(ethernetLength, 0x45);
  view.setUint16(ethernetLength + 2, ipLength + udpLength + payload.length);
  view.setUint8(ethernetLength + 8, timeToLive);
  view.setUint8(ethernetLength + 9, IPPROTO_UDP);
  ip.set(addressToBytes(datagram.from), 12);
  ip.set(addressToBytes(datagram.to), 16);
  view.setUint16(ethernetLength + 10, checksum(ip));
  const udpAt = ethernetLength + ipLength;
  const udp = frame.subarray(udpAt);
  view.setUint16(udpAt, datagram.fromPort);
  view.setUint16(udpAt + 2, datagram.toPort);
  view.setUint16(udpAt + 4, udp.length);
  udp.set(payload, udpLength);
  // A sum of 0 is sent as its other form: 0 would say that there is none.
  view.setUint16(udpAt + 6, checksum(udp, pseudoHeader(ip, udp.length)) || 0xffff);
  return frame;
}

/** What RFC 768 sums besides the datagram: both addresses, the protocol, the length. */
function pseudoHeader(ip: Uint8Array, length: number): number {
  return sum(ip.subarray(12, 20)) + IPPROTO_UDP + length;
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let index = 0; index < bytes.length; index += 2)
    total += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  return total;
}

/** RFC 1071: of bytes that hold their own sum it is 0. */
function checksum(bytes: Uint8Array, start = 0): number {
  let total = start + sum(bytes);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

/** A datagram that was received. */
export interface ReceivedDatagram {
  /** Whose frame it came in: the sender's, or that of the last router. */
  readonly fromMac: MacAddress;
  readonly payload: Uint8Array;
}

/**
 * The datagram in a frame; undefined for anything else: truncated, a fragment, to another port, lengths that contradict
 * each other, an IP header whose sum is wrong. The UDP sum is not looked at: a server on the same machine leaves it to the network
 * card, which the frame has not passed. Never throws.
 */
export function decodeFrame(frame: Uint8Array, port: number): ReceivedDatagram | undefined {
  if (frame.length < ethernetLength + ipLength + udpLength) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint16(12) !== ETH_P_IP) return undefined;
  const versionAndLength = view.getUint8(ethernetLength);
  const headerLength = (versionAndLength & 0xf) * 4;
  // A frame may be longer: Ethernet pads short ones.
  const end = ethernetLength + view.getUint16(ethernetLength + 2);
  const udpAt = ethernetLength + headerLength;
  if (versionAndLength >> 4 !== 4 || headerLength < ipLength) return undefined;
  if (end > frame.length || udpAt + udpLength > end) return undefined;
  if (checksum(frame.subarray(ethernetLength, udpAt)) !== 0) return undefined;
  const isFragment = (view.getUint16(ethernetLength + 6) & 0x3fff) !== 0;
  if (isFragment || view.getUint8(ethernetLength + 9) !== IPPROTO_UDP) return undefined;
  if (view.getUint16(udpAt + 2) !== port) return undefined;
  const length = view.getUint16(udpAt + 4);
  if (length < udpLength || udpAt + length > end) return undefined;
  return {
    fromMac: macFromBytes(frame.subarray(6, 12)),
    payload: frame.subarray(udpAt + udpLength, udpAt + length),
  };
}

/** Instructions of classic packet filters: linux/bpf_common.h. */
const BPF = {
  loadByte: 0x30,
  loadHalf: 0x28,
  loadHalfIndexed: 0x48,
  loadHeaderLength: 0xb1,
  jumpIfEqual: 0x15,
  jumpIfAnyBit: 0x45,
  answer: 0x06,
};

/** A packet socket's filter: IPv4's UDP to the port, no fragments. `decodeFrame` looks closer. */
export function filterOfPort(port: number): readonly FilterInstruction[] {
  return [
    { code: BPF.loadByte, k: ethernetLength + 9 },
    { code: BPF.jumpIfEqual, k: IPPROTO_UDP, jumpFalse: 6 },
    { code: BPF.loadHalf, k: ethernetLength + 6 },
    { code: BPF.jumpIfAnyBit, k: 0x3fff, jumpTrue: 4 },
    { code: BPF.loadHeaderLength, k: ethernetLength },
    { code: BPF.loadHalfIndexed, k: ethernetLength + 2 },
    { code: BPF.jumpIfEqual, k: port, jumpFalse: 1 },
    { code: BPF.answer, k: 0xffff },
    { code: BPF.answer, k: 0 },
  ];
}
