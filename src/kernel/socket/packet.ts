/** Whole frames of one link, past addresses, routes and firewalls: packet(7). */
import type { SocketPlace } from '../netlink/socket.ts';
import { closeSync } from '../sys/file.ts';
import { socket } from '../sys/libc.ts';
import { attachFilter, bindSocket, type FilterInstruction } from '../sys/sockets.ts';
import { type DatagramSocket, datagramSocket } from './datagram.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;

/** Which frames a packet socket receives. */
export interface PacketOptions {
  /** The index of the link, in the socket's namespace. */
  readonly link: number;
  /** ETH_P_*, linux/if_ether.h: 0x0800 is IPv4. */
  readonly etherType: number;
  /** Receives only what this classic filter lets through; it sees the frame from its Ethernet header on. */
  readonly filter?: readonly FilterInstruction[];
}

/**
 * Opens a socket for the frames of a link in a network namespace, the process's own if none is given. What is sent is a
 * whole frame, with its Ethernet header. Throws SystemError.
 */
export function openPacketSocket(
  { link, etherType, filter }: PacketOptions,
  netns?: SocketPlace,
): DatagramSocket {
  // Of no protocol, it receives nothing until it is bound: everything that is received went through the filter.
  const fd = (netns?.socket ?? socket)(AF_PACKET, SOCK_RAW, 0, 'packet socket');
  try {
    if (filter !== undefined) attachFilter(fd, filter);
    // struct sockaddr_ll, linux/if_packet.h.
    const address = new DataView(new ArrayBuffer(20));
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, etherType);
    address.setInt32(4, link, true);
    bindSocket(fd, new Uint8Array(address.buffer), `to link ${link}`);
    return datagramSocket(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
