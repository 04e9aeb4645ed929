/**
 * Connection tracking remembers where a UDP flow goes. Packets of one that began before its port was published would
 * never reach the container, and those of one that goes to a container that is gone would reach nobody, so what is
 * remembered of the port is deleted. Flows that only pass the node to the same port elsewhere are left alone.
 */
import { deleteConntrackEntries } from '../../../kernel/conntrack/conntrack.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { NetlinkError } from '../../../kernel/netlink/error.ts';
import { getRoute } from '../../../kernel/rtnetlink/route.ts';
import { formatAddress, type IpAddress, type IpFamily, sameAddress } from '../../../lib/ip.ts';
import { openNode } from '../../../plugin/namespaces.ts';

/** IPPROTO_UDP, linux/in.h. */
const udp = 17;

/** A published port. */
export interface PublishedPort {
  /** The node's address; 0 stands for all of its family. */
  readonly address: IpAddress;
  /** An IPPROTO_ number. */
  readonly protocol: number;
  readonly port: number;
}

/** Forgets the flows to UDP ports. A kernel without connection tracking has none. */
export function forgetStaleFlows(connection: Connection, published: readonly PublishedPort[]): void {
  for (const family of [4, 6] as const) {
    const ports = published.filter(({ address, protocol }) => protocol === udp && address.family === family);
    if (ports.length > 0) forgetFlows(connection, family, ports);
  }
}

function forgetFlows(connection: Connection, family: IpFamily, ports: readonly PublishedPort[]): void {
  const [first, ...others] = ports;
  using node = openNode();
  const isLocal = localAddresses((address) => getRoute(node, address)?.type === 'local');
  try {
    deleteConntrackEntries(connection, {
      family,
      protocol: udp,
      // With one port the kernel chooses, else one list is read for all.
      ...(first !== undefined && others.length === 0 && { originalDestinationPort: first.port }),
      accepts: (destination) =>
        ports.some(
          ({ address, port }) => port === destination.port && covers(address, destination.address),
        ) && isLocal(destination.address),
    });
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
  }
}

function covers(published: IpAddress, address: IpAddress): boolean {
  return published.value === 0n || sameAddress(published, address);
}

/** Asks once for each address. */
function localAddresses(ask: (address: IpAddress) => boolean): (address: IpAddress) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    const text = formatAddress(address);
    const answer = known.get(text) ?? ask(address);
    known.set(text, answer);
    return answer;
  };
}
