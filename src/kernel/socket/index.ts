/** Sockets that plugins talk to the world with: frames of a link, UDP, streams to daemons of this node, and the calls themselves. */
export * from '../sys/sockets.ts';
export type { DatagramSocket } from './datagram.ts';
export { openPacketSocket, type PacketOptions } from './packet.ts';
export { openUdpSocket, type UdpEnd, type UdpOptions } from './udp.ts';
export { openUnixStream, type UnixStream } from './unix.ts';
