/** The world outside the node: a namespace at the other end of the node's only cable, with documentation's addresses. */
import { NETLINK_ROUTE, openConnection } from '../../src/kernel/netlink/connection.ts';
import { createNetns, openNetns } from '../../src/kernel/netns/netns.ts';
import {
  addAddressRequest,
  addRouteRequest,
  changeLinkRequest,
  createLink,
  getLink,
} from '../../src/kernel/rtnetlink/index.ts';
import { address, prefix } from '../../src/lib/ip-literal.ts';

/** RFC 5737 and RFC 3849. */
export const world = { netns: '/run/netns/world', ipv4: '192.0.2.2', ipv6: '2001:db8::2' };
/** The node's addresses on the cable. */
export const node = { link: 'uplink', ipv4: '192.0.2.1', ipv6: '2001:db8::1' };

/** Lays the cable. */
export function makeWorld(): void {
  createNetns(world.netns);
  const netns = openNetns(world.netns);
  const here = openConnection(NETLINK_ROUTE);
  const there = openConnection(NETLINK_ROUTE, netns);
  createLink(here, { kind: 'veth', name: node.link, data: { peer: { name: 'eth0', netns: netns.fd } } });
  for (const [connection, link, own, other] of [
    [here, node.link, node, world],
    [there, 'eth0', world, node],
  ] as const) {
    const found = getLink(connection, link);
    if (found === undefined) throw new Error(`the cable has no end ${link}`);
    connection.requestAll([
      changeLinkRequest(found, { up: true }),
      addAddressRequest(found, { prefix: prefix(`${own.ipv4}/24`) }),
      addAddressRequest(found, { prefix: prefix(`${own.ipv6}/64`), noDad: true }),
      ...['0.0.0.0/0', '::/0'].map((dst, index) =>
        addRouteRequest({
          dst: prefix(dst),
          oif: found,
          gateway: address(index === 0 ? other.ipv4 : other.ipv6),
        }),
      ),
    ]);
  }
  here.close();
  there.close();
  netns.close();
}
