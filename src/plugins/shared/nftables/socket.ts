/** A socket to the node's nftables for as long as it is needed. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { NoNftablesError } from '../../../kernel/nftables/generation.ts';
import { openNftables } from '../../../kernel/nftables/operation.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';

/** For DEL and GC, which have nothing to do where the kernel has no nftables: `use`, or else nothing. */
export function withNftablesIfThere<T>(use: (connection: Connection) => T): T | undefined {
  try {
    return withNftables(use);
  } catch (error) {
    // EPROTONOSUPPORT: not even netfilter's netlink.
    const isAbsent = error instanceof SystemError && error.code === 'EPROTONOSUPPORT';
    if (isAbsent || error instanceof NoNftablesError) return undefined;
    throw error;
  }
}

/** Opens a socket, calls `use` with it and closes it. */
export function withNftables<T>(use: (connection: Connection) => T): T {
  const connection = openNftables();
  try {
    return use(connection);
  } finally {
    connection.close();
  }
}
