/**
 * Connection tracking remembers where a UDP flow goes: packets of one that began before the port was published would
 * never reach the container, so what it knows of the port is deleted.
 */
import { deleteConntrackEntries } from '../../../kernel/conntrack/conntrack.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import type { Publication } from './mapping.ts';

/** Forgets the flows to published UDP ports. A kernel without connection tracking has none. */
export function forgetStaleFlows(connection: Connection, publications: readonly Publication[]): void {
  for (const { mapping, target, hostAddress } of publications) {
    if (mapping.protocol !== 'udp') continue;
    deleteConntrackEntries(connection, {
      family: target.address.family,
      protocol: 17,
      originalDestinationPort: mapping.hostPort,
      ...(hostAddress !== undefined && { originalDestination: hostAddress }),
    });
  }
}
