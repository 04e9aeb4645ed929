/**
 * The start of an SCTP association over a raw socket (RFC 9260 section 5.1), for kernels that track and translate SCTP
 * and have no SCTP of their own. Both ends judge the checksum. Run by Bun in a namespace, a process each:
 *
 *     raw-sctp.ts serve 4|6 PORT                  says "ready", and answers INIT with INIT ACK until it is killed
 *     raw-sctp.ts ask 4|6 ADDRESS PORT TIMEOUT-MS     exits with 0 when the INIT ACK came from that address and port
 */
import { dlopen, FFIType, ptr } from 'bun:ffi';
import { addressFromBytes, addressToBytes, formatAddress } from '../../../src/lib/ip.ts';
import { address as ipLiteral } from '../../../src/lib/ip-literal.ts';

const { i32, ptr: pointer, u64, i64 } = FFIType;
const { symbols: libc } = dlopen('libc.so.6', {
  socket: { args: [i32, i32, i32], returns: i32 },
  setsockopt: { args: [i32, i32, i32, pointer, i32], returns: i32 },
  sendto: { args: [i32, pointer, u64, i32, pointer, i32], returns: i64 },
  recvfrom: { args: [i32, pointer, u64, i32, pointer, pointer], returns: i64 },
});

const SOCK_RAW = 3;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const chunk = { init: 1, initAck: 2 } as const;
const initiateTag = 0x1234_5678;
const family = process.argv[3] === '6' ? 6 : 4;
/** AF_INET, AF_INET6; where a sockaddr has its address, and its size. */
const layout = family === 4 ? { number: 2, offset: 4, size: 16 } : { number: 10, offset: 8, size: 28 };

/** CRC32c, RFC 9260 appendix A. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The common header and one chunk: INIT with tag 0, or INIT ACK with the peer's. */
function packet(type: number, sourcePort: number, destinationPort: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(destinationPort, 2);
  bytes.writeUInt32BE(type === chunk.init ? 0 : initiateTag, 4);
  bytes.writeUInt8(type, 12);
  bytes.writeUInt16BE(20, 14);
  bytes.writeUInt32BE(initiateTag, 16);
  bytes.writeUInt32BE(65_535, 20);
  bytes.writeUInt32BE(0x0001_0001, 24);
  bytes.writeUInt32BE(1, 28);
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

/** A packet whose checksum is right: its ports and its first chunk's type. */
function read(bytes: Buffer) {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, 8);
  if (bytes.length < 32 || crc32c(copy) !== bytes.readUInt32LE(8)) return undefined;
  return { source: bytes.readUInt16BE(0), destination: bytes.readUInt16BE(2), type: bytes.readUInt8(12) };
}

function sockaddr(text: string): Buffer {
  const bytes = Buffer.alloc(layout.size);
  bytes.writeUInt16LE(layout.number, 0);
  bytes.set(addressToBytes(ipLiteral(text)), layout.offset);
  return bytes;
}

const fd = libc.socket(layout.number, SOCK_RAW, IPPROTO_SCTP);
if (fd < 0) throw new Error('no raw socket');

function send(to: Buffer, bytes: Buffer): void {
  libc.sendto(fd, ptr(bytes), bytes.length, 0, ptr(to), to.length);
}

/** The next packet and where it came from; undefined when the time is over. */
function receive(): { from: Buffer; bytes: Buffer } | undefined {
  const [buffer, from, size] = [Buffer.alloc(2048), Buffer.alloc(layout.size), Buffer.alloc(4)];
  size.writeInt32LE(layout.size);
  const length = Number(libc.recvfrom(fd, ptr(buffer), buffer.length, 0, ptr(from), ptr(size)));
  if (length < 0) return undefined;
  // A raw socket of IPv4 gives the IP header as well, one of IPv6 does not.
  const header = family === 4 ? ((buffer[0] ?? 0) & 15) * 4 : 0;
  return { from, bytes: buffer.subarray(header, length) };
}

function serve(port: number): never {
  process.stdout.write('ready\n');
  for (;;) {
    const { from, bytes } = receive() ?? {};
    const heard = bytes && read(bytes);
    if (from === undefined || heard?.type !== chunk.init || heard.destination !== port) continue;
    // The port in a raw socket's address is a protocol to the kernel.
    from.writeUInt16BE(0, 2);
    send(from, packet(chunk.initAck, port, heard.source));
  }
}

function ask(address: string, port: number, timeoutMs: number): number {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.ceil(timeoutMs / 1000)));
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ptr(time), time.length);
  const ownPort = 40_000 + (process.pid % 20_000);
  send(sockaddr(address), packet(chunk.init, ownPort, port));
  for (let answer = receive(); answer !== undefined; answer = receive()) {
    const heard = read(answer.bytes);
    const from = addressFromBytes(
      answer.from.subarray(layout.offset, layout.offset + (family === 4 ? 4 : 16)),
    );
    const isAnswer = heard?.type === chunk.initAck && heard.source === port && heard.destination === ownPort;
    if (isAnswer && from !== undefined && formatAddress(from) === address) return 0;
  }
  return 1;
}

const [verb, , first = '', second, third] = process.argv.slice(2);
if (verb === 'serve') serve(Number(first));
else process.exit(ask(first, Number(second), Number(third)));
