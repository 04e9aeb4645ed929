/** Sockets that plugins talk to the world with: frames of a link, UDP, and streams to daemons of this node. */
export type { FilterInstruction } from '../sys/socket.ts';
export type { DatagramSocket } from './datagram.ts';
export { openPacketSocket, type PacketOptions } from './packet.ts';
export { openUdpSocket, type UdpEnd, type UdpOptions } from './udp.ts';
export { connectUnix, type UnixStream } from './unix.ts';
