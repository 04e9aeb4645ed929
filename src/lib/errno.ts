/**
 * The kernel's error numbers with their names and texts: `include/uapi/asm-generic/errno-base.h` and `errno.h`,
 * which x86, arm64 and riscv use unchanged. Only those that the calls made here can answer with.
 */
const table = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or object'],
  ESRCH: [3, 'no such process or entry'],
  EINTR: [4, 'interrupted'],
  EIO: [5, 'input/output error'],
  ENXIO: [6, 'no such device or address'],
  E2BIG: [7, 'argument list too long'],
  EBADF: [9, 'bad file descriptor'],
  EAGAIN: [11, 'try again'],
  ENOMEM: [12, 'out of memory'],
  EACCES: [13, 'permission denied'],
  EFAULT: [14, 'bad address'],
  EBUSY: [16, 'device or object busy'],
  EEXIST: [17, 'exists already'],
  EXDEV: [18, 'crosses devices'],
  ENODEV: [19, 'no such device'],
  ENOTDIR: [20, 'not a directory'],
  EISDIR: [21, 'is a directory'],
  EINVAL: [22, 'invalid argument'],
  ENFILE: [23, 'too many open files in the system'],
  EMFILE: [24, 'too many open files'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left'],
  EROFS: [30, 'read-only file system'],
  EMLINK: [31, 'too many links'],
  EPIPE: [32, 'the other end is gone'],
  ERANGE: [34, 'out of range'],
  EDEADLK: [35, 'resource deadlock avoided'],
  ENAMETOOLONG: [36, 'name too long'],
  ENOSYS: [38, 'not implemented by this kernel'],
  ENOTEMPTY: [39, 'directory not empty'],
  ELOOP: [40, 'too many symbolic links'],
  ENODATA: [61, 'no data'],
  EPROTO: [71, 'protocol error'],
  EBADMSG: [74, 'bad message'],
  EOVERFLOW: [75, 'value too large'],
  ERESTART: [85, 'must be restarted: the ruleset changed meanwhile'],
  ENOTSOCK: [88, 'not a socket'],
  EMSGSIZE: [90, 'message too long'],
  ENOPROTOOPT: [92, 'no such option of a socket'],
  EPROTONOSUPPORT: [93, 'protocol not supported'],
  EOPNOTSUPP: [95, 'operation not supported'],
  EAFNOSUPPORT: [97, 'address family not supported'],
  EADDRINUSE: [98, 'address in use'],
  EADDRNOTAVAIL: [99, 'address not available'],
  ENETDOWN: [100, 'network is down'],
  ENETUNREACH: [101, 'network unreachable'],
  ECONNRESET: [104, 'the other end ended the connection'],
  ENOBUFS: [105, 'no buffer space'],
  ENOTCONN: [107, 'not connected'],
  ETIMEDOUT: [110, 'timed out'],
  ECONNREFUSED: [111, 'nobody listens there'],
  EHOSTUNREACH: [113, 'no route to host'],
  EALREADY: [114, 'already in progress'],
  ESTALE: [116, 'stale: it changed meanwhile'],
  EDQUOT: [122, 'disk quota exceeded'],
} as const;

/** The name of an error number, as in errno(3). */
export type ErrnoName = keyof typeof table;

/** The number of a named error. */
export function errnoNumber(name: ErrnoName): number {
  return table[name][0];
}

/** The name of an error number, `E<number>` where it is not in the table. */
export function errnoName(errno: number): ErrnoName | `E${number}` {
  for (const name in table) {
    if (table[name as ErrnoName][0] === errno) return name as ErrnoName;
  }
  return `E${errno}`;
}

/** What the error means, in words for the person who operates the node. */
export function errnoText(errno: number): string {
  const name = errnoName(errno);
  return name in table ? table[name as ErrnoName][1] : `error ${errno}`;
}
