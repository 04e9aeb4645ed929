/** UDP between two known ends, over one link: udp(7). The kernel routes and asks for neighbours. */
import { bytesFromText } from '../../lib/bytes.ts';
import { addressToBytes, formatAddress, type IpAddress } from '../../lib/ip.ts';
import type { SocketPlace } from '../netlink/socket.ts';
import { closeSync } from '../sys/file.ts';
import { setSocketOption, socket } from '../sys/libc.ts';
import { bindSocket, connectSocket } from '../sys/sockets.ts';
import { type DatagramSocket, datagramSocket } from './datagram.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;

/** An IPv4 address and a port. */
export interface UdpEnd {
  readonly address: IpAddress;
  readonly port: number;
}

/** Whose datagrams are sent and received. */
export interface UdpOptions {
  readonly from: UdpEnd;
  readonly to: UdpEnd;
  /** The name of the link that they must go over. */
  readonly device?: string;
}

/**
 * Opens a UDP socket over IPv4 in a network namespace, the process's own if none is given. Throws SystemError:
 * EADDRNOTAVAIL where the namespace has not the address, EADDRINUSE where another socket has the port, ENETUNREACH where
 * no route leads to the other end.
 */
export function openUdpSocket({ from, to, device }: UdpOptions, netns?: SocketPlace): DatagramSocket {
  const fd = (netns?.socket ?? socket)(AF_INET, SOCK_DGRAM, 0, 'UDP socket');
  try {
    setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, new Uint8Array([1, 0, 0, 0]));
    if (device !== undefined) setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, bytesFromText(device));
    bindSocket(fd, socketAddress(from), described(from));
    connectSocket(fd, socketAddress(to), described(to));
    return datagramSocket(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function described({ address, port }: UdpEnd): string {
  return `${formatAddress(address)}:${port}`;
}

/** struct sockaddr_in, linux/in.h. */
function socketAddress({ address, port }: UdpEnd): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(addressToBytes(address).subarray(0, 4), 4);
  return bytes;
}
