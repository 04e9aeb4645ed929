/** SCTP sockets, one-to-one style (RFC 6458 section 4), which no runtime has: the few system calls, blocking. */
import { dlopen, FFIType, ptr } from 'bun:ffi';

const { i32, ptr: pointer, u64, i64 } = FFIType;
const { symbols: libc } = dlopen('libc.so.6', {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, i32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  accept: { args: [i32, pointer, pointer], returns: i32 },
  connect: { args: [i32, pointer, i32], returns: i32 },
  setsockopt: { args: [i32, i32, i32, pointer, i32], returns: i32 },
  read: { args: [i32, pointer, u64], returns: i64 },
  write: { args: [i32, pointer, u64], returns: i64 },
  close: { args: [i32], returns: i32 },
});

const AF_INET6 = 10;
const SOCK_STREAM = 1;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
/** struct sockaddr_in6: family, port, flow, 16 bytes of address, scope. */
const addressSize = 28;

/** Whether this kernel has SCTP, built in or as a module, which it loads now. */
export function kernelHasSctp(): boolean {
  const fd = libc.socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
  if (fd < 0) return false;
  libc.close(fd);
  return true;
}

/** An address as 16 bytes: IPv4 is mapped (RFC 4291 section 2.5.5.2). */
function addressBytes(address: string): Uint8Array {
  if (!address.includes(':'))
    return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...address.split('.').map(Number)]);
  const [head = '', tail] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Uint8Array.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 255]));
}

function sockaddr(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(addressSize);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressBytes(address), 8);
  return bytes;
}

/** The address and port in a sockaddr_in6, as text. */
function fromSockaddr(bytes: Buffer): { address: string; port: number } {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + 2 * index).toString(16));
  const mapped = bytes.subarray(8, 20).equals(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]));
  return {
    address: mapped ? [...bytes.subarray(20, 24)].join('.') : groups.join(':'),
    port: bytes.readUInt16BE(2),
  };
}

function checked(result: number | bigint, what: string): number {
  if (result < 0) throw new Error(`sctp: ${what} failed`);
  return Number(result);
}

function open(): number {
  return checked(libc.socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP), 'socket');
}

/** Serves for ever, one association at a time: what it receives goes through `answer` and back. `ready` is called once it listens. */
export function serveSctp(
  port: number,
  answer: (from: { address: string; port: number }, text: string) => string,
  ready: () => void,
): never {
  const fd = open();
  checked(libc.bind(fd, ptr(sockaddr('::', port)), addressSize), `bind to port ${port}`);
  checked(libc.listen(fd, 16), 'listen');
  ready();
  const buffer = Buffer.alloc(65536);
  for (;;) {
    const peer = Buffer.alloc(addressSize);
    const size = Buffer.alloc(4);
    size.writeInt32LE(addressSize);
    const connection = checked(libc.accept(fd, ptr(peer), ptr(size)), 'accept');
    const length = Number(libc.read(connection, ptr(buffer), buffer.length));
    if (length > 0) {
      const reply = Buffer.from(answer(fromSockaddr(peer), buffer.toString('utf8', 0, length)));
      libc.write(connection, ptr(reply), reply.length);
    }
    libc.close(connection);
  }
}

/** Sends a text and returns the answer. @throws Error where there is no association, or no answer in time */
export function askSctp(address: string, port: number, text: string, timeoutMs: number): string {
  const fd = open();
  const timeout = Buffer.alloc(16);
  timeout.writeBigInt64LE(BigInt(Math.ceil(timeoutMs / 1000)));
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO])
    checked(libc.setsockopt(fd, SOL_SOCKET, option, ptr(timeout), 16), 'setsockopt');
  checked(libc.connect(fd, ptr(sockaddr(address, port)), addressSize), `connect to ${address} port ${port}`);
  const message = Buffer.from(text);
  checked(libc.write(fd, ptr(message), message.length), 'write');
  const buffer = Buffer.alloc(65536);
  const length = checked(libc.read(fd, ptr(buffer), buffer.length), 'read');
  libc.close(fd);
  return buffer.toString('utf8', 0, length);
}
