/** What tells one network namespace from every other of this boot, also from those that are gone. */
import { closeSync } from '../sys/file.ts';
import { SystemError } from '../sys/libc.ts';
import { getSocketOption } from '../sys/sockets.ts';
import type { NetworkNamespace } from './netns.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
/** asm-generic/socket.h; since Linux 5.14 for any socket. */
const SO_NETNS_COOKIE = 71;

/**
 * The namespace's cookie (SO_NETNS_COOKIE), a number that the kernel gives once in a boot: its inode's number and its path
 * are another one's when it is gone. Undefined on kernels before 5.14. Throws SystemError.
 */
export function netnsCookie(netns: NetworkNamespace): bigint | undefined {
  const fd = netns.socket(AF_INET, SOCK_DGRAM, 0, 'UDP socket');
  try {
    const cookie = new BigUint64Array(1);
    getSocketOption(fd, SOL_SOCKET, SO_NETNS_COOKIE, new Uint8Array(cookie.buffer));
    return cookie[0];
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOPROTOOPT') return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}
