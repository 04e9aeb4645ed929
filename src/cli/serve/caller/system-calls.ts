/** Linux's system calls on x86-64, as instructions. */
import { compare, copy, type Item, jump, type Register, set, syscall } from './x86-64.ts';

/** asm/unistd_64.h. */
const SYS = {
  read: 0,
  write: 1,
  poll: 7,
  lseek: 8,
  dup2: 33,
  socket: 41,
  connect: 42,
  recvfrom: 45,
  sendmsg: 46,
  shutdown: 48,
  setsockopt: 54,
  execve: 59,
  readlink: 89,
  exit_group: 231,
  memfd_create: 319,
  statx: 332,
} as const;
/** What they are given: sys/socket.h, sys/mman.h, linux/stat.h, fcntl.h, poll.h, asm-generic/errno-base.h. */
export const [AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC] = [1, 1, 0x80000];
export const [SOL_SOCKET, SO_SNDTIMEO, SHUT_RD, MSG_NOSIGNAL] = [1, 21, 0, 0x4000];
export const [MFD_CLOEXEC, STATX_INO, AT_FDCWD] = [1, 0x100, 0xffffff9c];
export const [POLLIN, POLLOUT, EINTR, EAGAIN] = [1, 4, 4, 11];

/** A system call; what is undefined is in its register already. The result is in rax. */
export function kernel(name: keyof typeof SYS, ...given: readonly (number | Register | undefined)[]): Item[] {
  const places = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const;
  const items = places.flatMap((place, index) => {
    const value = given[index];
    if (value === undefined) return [];
    return [typeof value === 'number' ? set(place, value) : copy(place, value)];
  });
  return [...items, set('rax', SYS[name]), syscall];
}

/** Goes back to a system call that a signal, or a stop, has ended early. */
export function repeatInterrupted(from: string): Item[] {
  return [compare('rax', -EINTR), jump(from, 'equal')];
}
