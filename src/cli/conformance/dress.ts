/** Making a container as a previous plugin would have left it: what a chained plugin finds. */

import type { Interface, Result } from '../../cni/result.ts';
import { openNetns, rtnetlink } from '../../kernel/index.ts';
import { type IpAddress, parseAddress, parsePrefix } from '../../lib/ip.ts';
import { inside, linkIn, look } from './look.ts';
import type { Container } from './node.ts';

/**
 * Makes the interfaces of the result that have a sandbox, as veth pairs to the node, with the result's addresses and
 * routes, and gives each host end, named by the prefix, the gateways of its addresses. Returns the result as it is now: this container's namespace, and
 * the interfaces' hardware addresses.
 */
export function dress(container: Container, hostPrefix: string, previous: Result): Result {
  const interfaces = previous.interfaces ?? [];
  const made = interfaces.map((each, index) =>
    each.sandbox ? makeInterface(container, hostPrefix + index, each, index, previous) : each,
  );
  // At the end, so that the addresses' indexes stay right.
  const hostEnds = look(undefined).links.filter(({ name }) => name.startsWith(hostPrefix));
  for (const route of previous.routes ?? []) addRoute(container, route, previous);
  return { ...previous, interfaces: [...made, ...hostEnds.map(({ name, mac }) => ({ name, mac }))] };
}

function makeInterface(
  container: Container,
  hostName: string,
  { name, mac }: Interface,
  index: number,
  previous: Result,
): Interface {
  const netns = openNetns(container.netns);
  try {
    const peer = { name, netns: netns.fd, ...(mac === undefined ? {} : { mac }) };
    inside(undefined, (c) =>
      rtnetlink.createLink(c, { kind: 'veth', name: hostName, up: true, data: { peer } }),
    );
  } finally {
    netns.close();
  }
  inside(container.netns, (c) => rtnetlink.changeLink(c, name, { up: true }));
  for (const ip of previous.ips ?? []) {
    const prefix = parsePrefix(ip.address);
    if (prefix === undefined || ip.interface !== index) continue;
    give(container.netns, name, prefix);
    const gateway = ip.gateway === undefined ? undefined : parseAddress(ip.gateway);
    if (gateway !== undefined) give(undefined, hostName, { address: gateway, length: prefix.length });
  }
  const { mac: given = '' } = linkIn(look(container.netns), name) ?? {};
  return { name, mac: given, sandbox: container.netns };
}

function give(netns: string | undefined, name: string, prefix: { address: IpAddress; length: number }): void {
  inside(netns, (connection) => {
    const link = rtnetlink.getLink(connection, name);
    if (link !== undefined) rtnetlink.replaceAddress(connection, link, { prefix, noDad: true });
  });
}

/** The next hop, where the route has none, is the gateway of an address of its family (SPEC.md section 5, `routes`). */
function addRoute(container: Container, route: { dst: string; gw?: string }, previous: Result): void {
  const dst = parsePrefix(route.dst);
  const hops = [route.gw, ...(previous.ips ?? []).map(({ gateway }) => gateway)].map((text) =>
    parseAddress(text ?? ''),
  );
  const gateway = hops.find((hop) => hop !== undefined && hop.family === dst?.address.family);
  if (dst === undefined || gateway === undefined) return;
  inside(container.netns, (connection) => rtnetlink.replaceRoute(connection, { dst, gateway }));
}
