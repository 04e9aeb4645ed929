/** Where a lease is used: an interface in a container's namespace, which is opened only for as long as it is looked at. */
import { CniError } from '../../../cni/index.ts';
import { netnsCookie } from '../../../kernel/netns/cookie.ts';
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import { fstatSync } from '../../../kernel/sys/file.ts';
import { type Container, openContainer } from '../../../plugin/namespaces.ts';
import type { Interface } from './lease.ts';

/** Opens a namespace, also the daemon's own. Throws a `CniError` (8) where there is none. */
export function openPlace(netns: string): Container {
  return openContainer({ netns, netnsOverride: true });
}

/** What tells the namespace: its cookie, or its inode on kernels that have none (before 5.14). */
function namespaceOf({ netns }: Container): string {
  const cookie = netnsCookie(netns);
  if (cookie !== undefined) return `cookie ${cookie}`;
  const { dev, ino } = fstatSync(netns.fd);
  return `inode ${dev} ${ino}`;
}

/** The interface of that name in an open namespace; undefined where there is none. */
export function interfaceIn(container: Container, name: string): Interface | undefined {
  const link = getLink(container, name);
  return link && { namespace: namespaceOf(container), name, index: link.index, mac: link.mac };
}

/** Whether two are one: a container whose namespace or interface was made anew has another one under the same names. */
export function sameInterface(one: Interface, other: Interface | undefined): boolean {
  if (other === undefined) return false;
  const { namespace, index, mac } = one;
  return namespace === other.namespace && index === other.index && mac === other.mac;
}

/** The namespace, open, if the interface is still there; undefined where either has gone. */
export function openIfThere(netns: string, wanted: Interface): Container | undefined {
  const container = openOrNone(netns);
  if (container === undefined) return undefined;
  try {
    if (sameInterface(wanted, interfaceIn(container, wanted.name))) return container;
  } catch (error) {
    container.close();
    throw error;
  }
  container.close();
  return undefined;
}

function openOrNone(netns: string): Container | undefined {
  try {
    return openPlace(netns);
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

/** Whether the interface is still there. */
export function isThere(netns: string, wanted: Interface): boolean {
  using container = openIfThere(netns, wanted);
  return container !== undefined;
}
