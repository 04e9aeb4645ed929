/** A socket to the node's nftables for as long as it is needed. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { NoNftablesError } from '../../../kernel/nftables/generation.ts';
import { openNftables } from '../../../kernel/nftables/operation.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';

/** Opens a socket, which closes itself. Throws SystemError. */
export function openNftablesHere(): Connection & Disposable {
  const connection = openNftables();
  return { ...connection, [Symbol.dispose]: connection.close };
}

/** Opens a socket, which closes itself; undefined where the kernel has not even netfilter's netlink. Throws SystemError. */
export function openNftablesIfThere(): (Connection & Disposable) | undefined {
  try {
    return openNftablesHere();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EPROTONOSUPPORT') return undefined;
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

/** For DEL and GC: a kernel without nf_tables has nothing to remove. */
export function unlessAbsent<T>(remove: () => T, nothing: T): T {
  try {
    return remove();
  } catch (error) {
    if (error instanceof NoNftablesError) return nothing;
    throw error;
  }
}
