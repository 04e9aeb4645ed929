/** A machine next to the node: a namespace on a wire of its own, which knows no way to the Pods. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createContainer, ip, within } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { get, serveCommand, url } from './web.ts';

/** The addresses on both ends of the wire: documentation prefixes (RFC 5737, RFC 3849). */
export const wire = {
  node: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  neighbour: { ipv4: '192.0.2.2', ipv6: '2001:db8::2' },
} as const;

/** The machine; it serves the page `outside` on `webPort`. */
export interface Neighbour {
  readonly netns: string;
  readonly remove: () => Promise<void>;
}

/** Makes it. */
export async function createNeighbour(): Promise<Neighbour> {
  const { netns, remove } = createContainer('outside');
  await ip(undefined, 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'outside');
  await addresses(undefined, 'uplink', wire.node);
  await addresses(netns, 'eth0', wire.neighbour);
  const server = serve(netns);
  await eventually('the neighbour serves its page', async () => {
    return (await get(undefined, url(wire.neighbour.ipv4))).exitCode === 0;
  });
  return {
    netns,
    remove: async () => {
      server.kill('SIGKILL');
      await server.exited;
      await ip(undefined, 'link', 'delete', 'uplink');
      remove();
    },
  };
}

async function addresses(
  netns: string | undefined,
  link: string,
  { ipv4, ipv6 }: { ipv4: string; ipv6: string },
) {
  await ip(netns, 'address', 'add', `${ipv4}/24`, 'dev', link);
  await ip(netns, 'address', 'add', `${ipv6}/64`, 'dev', link, 'nodad');
  // Without link-local addresses, which would come a moment later, between two looks at the node.
  await ip(netns, 'link', 'set', link, 'addrgenmode', 'none', 'up');
}

function serve(netns: string): Bun.Subprocess {
  mkdirSync('/run/outside', { recursive: true });
  writeFileSync('/run/outside/index.html', 'outside\n');
  return Bun.spawn([...within(netns, serveCommand('/run/outside'))], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
}
