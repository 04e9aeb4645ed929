/** A socket to the node's nftables for as long as it is needed. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { openNftables } from '../../../kernel/nftables/operation.ts';

/** Opens a socket, calls `use` with it and closes it. */
export function withNftables<T>(use: (connection: Connection) => T): T {
  const connection = openNftables();
  try {
    return use(connection);
  } finally {
    connection.close();
  }
}
