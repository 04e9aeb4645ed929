/**
 * What `fairlead-call` and `fairlead serve` say to each other over a Unix socket, numbers in the machine's order:
 *
 *     question   begin, length of the strings (64 bits), length of standard input (64 bits), the struct statx of each
 *                file of `identityFiles`; argv[0] and the environment, each with a NUL; standard input
 *     taken      one byte: from here on the call may have been done
 *     answer     exit code, length of standard output, length of standard error (32 bits each); both of them
 *
 * The server ends the connection where it takes no call, and after its answer.
 */

/** Where the socket is. Its directory is root's alone, and so is the socket: who may connect may do anything. */
export const serveDirectory = '/run/fairlead';
export const serveSocket = `${serveDirectory}/serve.sock`;

/** The beginning of a question: another text for another protocol. */
export const begin = 'fl-call1';

/** In bytes: struct statx of linux/stat.h. */
export const statxSize = 256;

/**
 * What must be the same in both processes for a call to come to the same, links followed: the executable, the network
 * namespace, and what paths mean. The first is the server's own; `fairlead-call` looks at the one beside itself.
 */
export const identityFiles = ['/proc/self/exe', '/proc/self/ns/net', '/proc/self/ns/mnt', '/'] as const;

/** Where the parts of a question are. */
export const questionLayout = {
  begin: 0,
  stringsLength: 8,
  stdinLength: 16,
  identities: 24,
  strings: 24 + identityFiles.length * statxSize,
};

/** The byte that says that a call was taken: after ADD it must not be done a second time, after others it may. */
export const taken = { add: 0x61, other: 0x6f } as const;

/** The exit code of an answer without output: nothing was done, because only a process of its own can do it. */
export const doItYourself = 0xffffffff;

/** In bytes. */
export const answerHeaderSize = 12;
