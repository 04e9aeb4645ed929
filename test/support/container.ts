/** Containers, as `fairlead/testing` makes them, and what iproute2 says of them. */
// packages: iproute2
import { within } from '../../src/testing/container.ts';
import { requireSandbox } from '../../src/testing/sandbox.ts';
import { type IpObject, ipJson } from './ip-json.ts';

export {
  type Container,
  createContainer,
  inNetns,
  removeContainers,
  within,
} from '../../src/testing/container.ts';

/**
 * What `ip -j ARGUMENTS` prints, parsed, in a namespace or (undefined) on the node; empty for commands that print
 * nothing. @throws Error with ip's message
 */
export function ip(netns: string | undefined, ...args: readonly string[]): Promise<readonly IpObject[]> {
  requireSandbox();
  return ipJson(within(netns, ['ip', '-j', ...args]));
}
