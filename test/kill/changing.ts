/**
 * Which of a plugin's kernel calls can change something that outlives its process. Between two of these the node is the
 * same at every call, and what the process alone has (memory, descriptors, locks, the namespace it is in) ends with
 * it, so a kill at one of the calls between leaves what a kill at the next of these leaves. What is not
 * known here to change nothing counts as changing.
 */

const namesIn = (lines: readonly string[]) => lines.flatMap((line) => line.split(' '));

/** Calls that look, or are about the process's own memory and threads. */
export const lookingCalls: readonly string[] = namesIn([
  'mmap munmap mprotect mremap madvise brk',
  'pread64 recvfrom recvmsg stat lstat fstat newfstatat statx statfs fstatfs access readlink getcwd getdents64 lseek poll',
  // A user-mode kernel has no vDSO: what asks for the time is a call there.
  'clock_gettime clock_getres gettimeofday time clock_nanosleep',
  // Waiting for a daemon: how often it is looked whether it answered is another number each time.
  'epoll_wait epoll_pwait epoll_pwait2',
  'futex rt_sigaction rt_sigprocmask sigaltstack sched_yield sched_getaffinity rseq clone3',
  'getsockopt getsockname getpid gettid uname sysinfo getrandom prlimit64 prctl epoll_create1 epoll_ctl eventfd2',
  // Of consequence only to a node that loses its power.
  'fsync fdatasync',
]);

/** And those that change what the process alone has: its end closes its files and frees its locks, as close(2) would. */
export const harmlessCalls: readonly string[] = [
  ...lookingCalls,
  // A ring only closes a socket here (src/kernel/sys/close-later.ts).
  ...namesIn(['socket setns close close_range flock io_uring_setup io_uring_register']),
];

/** Whether a call may change something that outlives the process, by the line that strace wrote of it. */
export function changesSomething(line: string): boolean {
  // What failed changed nothing.
  if (/\) += -1 E/.test(line)) return false;
  const name = /^\w+/.exec(line)?.[0] ?? '';
  if (harmlessCalls.includes(name)) return false;
  switch (name) {
    case 'openat':
      return /\bO_(CREAT|TRUNC|TMPFILE)\b/.test(line);
    case 'write':
      // Its own answer, and what wakes its own threads.
      return !/^write\(\d+<anon_inode:|^write\([12]</.test(line);
    case 'sendto':
      return !onlyReads(line);
    case 'setsockopt':
      // A table of iptables-legacy is an option of a socket; others are about the socket.
      return /\bIP6?T_SO_SET_/.test(line);
    default:
      return name !== 'read';
  }
}

/** Whether all messages of a datagram ask only. */
function onlyReads(line: string): boolean {
  const types = [...line.matchAll(/nlmsg_type=([^,]+),/g)].map(([, type = '']) => type);
  return types.length > 0 && types.every(isRead);
}

/**
 * The types RTM_GET…, NFT_MSG_GET…, IPCTNL_MSG_CT_GET. For a socket of another namespace strace has only a number, in which
 * rtnetlink's requests to read are 2 modulo 4 (linux/rtnetlink.h); netfilter's are above 0xff.
 */
function isRead(type: string): boolean {
  const number = /^0x[0-9a-f]+/.exec(type)?.[0];
  if (number !== undefined) return Number(number) <= 0xff && (Number(number) & 3) === 2;
  return /(^RTM_|\|NFT_MSG_|\|IPCTNL_MSG_CT_)GET/.test(type);
}
