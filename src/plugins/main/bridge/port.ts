/** A container's pair of links: one side a port of the bridge, the other in the container. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { changeBridgePort } from '../../../kernel/rtnetlink/bridge-port.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { createLink } from '../../../kernel/rtnetlink/link-change.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { presentLink } from '../../../plugin/links.ts';
import type { BridgeConfig } from './config.ts';
import { hasVlans, setPortVlans } from './port-vlans.ts';

/** A pair of links to be made. */
export interface Pair {
  readonly hostName: string;
  readonly hostMac: MacAddress;
  readonly containerName: string;
  readonly containerMac: MacAddress;
  /** The descriptor of the container's namespace. */
  readonly netns: number;
}

/**
 * Makes the pair, its host side up and a port of the bridge. That is one message, so a process that is killed leaves
 * either nothing or a whole port. Throws a CniError when a name is taken: nothing was made then.
 */
export function createPair(node: Connection, bridge: Link, pair: Pair, mtu: number): void {
  const settings = mtu > 0 ? { mtu } : {};
  try {
    createLink(node, {
      kind: 'veth',
      name: pair.hostName,
      mac: pair.hostMac,
      master: bridge.index,
      up: true,
      ...settings,
      data: {
        peer: { name: pair.containerName, mac: pair.containerMac, netns: pair.netns, ...settings },
      },
    });
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
    throw nameTaken(pair, getLink(node, pair.hostName));
  }
}

/** A host side's name has 32 bits of its attachment's digest, its hardware address 40 others: together they tell it. */
function nameTaken({ hostName, hostMac, containerName }: Pair, holder: Link | undefined): CniError {
  if (holder === undefined) {
    return new CniError('invalidEnvironment', `interface ${containerName} exists already in the container`);
  }
  if (holder.mac === hostMac) {
    return new CniError(
      'invalidEnvironment',
      `link ${hostName} of this attachment exists already`,
      'an earlier ADD was not followed by DEL',
    );
  }
  return new CniError(
    'tryAgainLater',
    `link ${hostName} exists already and is another attachment's or somebody else's: its hardware address is ${holder.mac}, not ${hostMac}`,
    'the name follows from network, container and interface; it is free when that link is removed, and another container id has another name',
  );
}

/** Sets the port's options; off is how a new port is. */
export function configurePort(node: Connection, name: string, config: BridgeConfig): void {
  const { hairpinMode, portIsolation } = config;
  if (hairpinMode || portIsolation) {
    changeBridgePort(node, name, { hairpin: hairpinMode, isolated: portIsolation });
  }
  if (hasVlans(config)) setPortVlans(node, presentLink(node, name), config);
}

/** How long a port may take until its operational state is up, in milliseconds; as long as the reference waits. */
const portUpTimeout = 2500;

/**
 * Waits until the port is operationally up: before, the bridge drops the container's packets. Since Linux 6.9 the
 * state that is read is never behind (linkwatch_sync_dev in rtnl_getlink), so the first look is the last one.
 */
export async function waitForPort(node: Connection, name: string): Promise<Link> {
  const deadline = performance.now() + portUpTimeout;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const port = presentLink(node, name);
    if (port.operState === 'up') return port;
    if (performance.now() >= deadline) {
      throw new CniError(
        'tryAgainLater',
        `bridge port ${name} is ${port.operState} after ${portUpTimeout} ms, it must be up`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
