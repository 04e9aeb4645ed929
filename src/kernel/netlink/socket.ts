/** Netlink sockets: datagrams to the kernel and back (netlink(7)). What is in them is the connection's business. */
import { errnoNumber } from '../../lib/errno.ts';
import { closeSync } from '../sys/file.ts';
import { receive, SystemError, send, setSocketOption, socket } from '../sys/libc.ts';

/** The netlink family of links, addresses, routes, rules and neighbours: linux/netlink.h, as the next two. */
export const NETLINK_ROUTE = 0;
/** The netlink family of nf_tables and connection tracking. */
export const NETLINK_NETFILTER = 12;
/** The netlink family of whatever registers a name (genetlink). */
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
/** An answer is there when send returns; so long without one, in seconds, mean a kernel that will not answer. */
const receiveTimeout = 10;
/** Larger than any datagram of the kernel's: it fills dumps up to 32 KiB (netlink_dump, af_netlink.c). */
const defaultBufferSize = 64 * 1024;
/** What is received is copied at once, so one buffer does for all sockets. */
let sharedBuffer: Uint8Array | undefined;

/** Where a connection's datagrams go to and come from. */
export interface NetlinkSocket {
  readonly fd: number;
  send(datagram: Uint8Array): void;
  /** Waits for the next datagram. Throws SystemError: ETIMEDOUT when none comes, ENOBUFS when some were lost. */
  receive(): Uint8Array;
  /** The next datagram that is there already, undefined when there is none. */
  receiveNow(): Uint8Array | undefined;
  close(): void;
}

/** Where a socket can be opened: an open network namespace (netns.ts). */
export interface SocketPlace {
  /** For traces. */
  readonly path?: string;
  socket(domain: number, type: number, protocol: number, what: string): number;
}

/**
 * Opens a netlink socket of the given family in a network namespace, the process's own if none is given, with extended acknowledgements and
 * strict checking of dump requests. Throws SystemError.
 */
export function openSocket(
  protocol: number,
  netns?: SocketPlace,
  bufferSize = defaultBufferSize,
): NetlinkSocket {
  const open = netns?.socket ?? socket;
  const fd = open(AF_NETLINK, SOCK_RAW, protocol, `netlink socket of family ${protocol}`);
  try {
    setOptions(fd, protocol);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  sharedBuffer ??= new Uint8Array(defaultBufferSize);
  const buffer =
    bufferSize <= defaultBufferSize ? sharedBuffer.subarray(0, bufferSize) : new Uint8Array(bufferSize);
  // A copy, so that what was received stays good when the buffer is used again.
  const take = (flags: number): Uint8Array => {
    const length = receive(fd, buffer, MSG_TRUNC | flags);
    if (length > bufferSize) {
      throw new SystemError(
        `receive ${length} bytes into a buffer of ${bufferSize}`,
        errnoNumber('EMSGSIZE'),
      );
    }
    return buffer.slice(0, length);
  };

  return {
    fd,
    send: (datagram) => send(fd, datagram),
    receive: () => {
      const datagram = unlessNone(() => take(0));
      if (datagram !== undefined) return datagram;
      const operation = `wait ${receiveTimeout} s for the kernel's answer`;
      throw new SystemError(operation, errnoNumber('ETIMEDOUT'));
    },
    receiveNow: () => unlessNone(() => take(MSG_DONTWAIT)),
    close: () => closeSync(fd),
  };
}

function setOptions(fd: number, protocol: number): void {
  const one = new Uint8Array([1, 0, 0, 0]);
  setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, one);
  setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, one);
  if (protocol === NETLINK_ROUTE) setSocketOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, one);
  const timeval = new BigInt64Array([BigInt(receiveTimeout), 0n]);
  setSocketOption(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeval.buffer));
}

/** recv(2) says EAGAIN when nothing came in time, and with MSG_DONTWAIT when nothing is there. */
function unlessNone(call: () => Uint8Array): Uint8Array | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EAGAIN') return undefined;
    throw error;
  }
}
