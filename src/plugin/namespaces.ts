/** The namespaces and sockets of one request: the node's, and the container's. */
import { CniError } from '../cni/index.ts';
import { type Connection, NETLINK_ROUTE, openConnection } from '../kernel/netlink/connection.ts';
import { type NetworkNamespace, NotANamespaceError, openNetns } from '../kernel/netns/netns.ts';

/** A container's network namespace, open, with an rtnetlink socket in it. */
export interface ContainerNamespace {
  readonly netns: NetworkNamespace;
  readonly route: Connection;
}

/** Opens the container's namespace. Throws a CniError that says what is at the path instead of one. */
export function openContainer(path: string): ContainerNamespace & Disposable {
  const netns = explained(path, () => openNetns(path));
  try {
    // Only now a namespace of another kind shows.
    const route = explained(path, () => openConnection(NETLINK_ROUTE, netns));
    return {
      netns,
      route,
      [Symbol.dispose]: () => {
        route.close();
        netns.close();
      },
    };
  } catch (error) {
    netns.close();
    throw error;
  }
}

/** A path that is no network namespace is the runtime's mistake, or the container is gone. */
function explained<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ENOENT') throw new CniError('invalidNetns', `CNI_NETNS ${path} does not exist`);
    if (error instanceof NotANamespaceError || isPathError(code))
      throw new CniError('invalidNetns', `CNI_NETNS cannot be used: ${message}`);
    throw error;
  }
}

/** What open(2) says of a path that leads nowhere. */
function isPathError(code: string | undefined): boolean {
  return code !== undefined && ['ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'ENXIO'].includes(code);
}

/**
 * Opens the container's namespace for DEL; undefined when there is none any more: no path, no file, or a file that
 * is no namespace (what is left of one after a reboot). Then there is nothing in it to remove.
 */
export function openContainerIfThere(
  path: string | undefined,
): (ContainerNamespace & Disposable) | undefined {
  if (path === undefined) return undefined;
  try {
    return openContainer(path);
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

/** Opens an rtnetlink socket in the node's own namespace. */
export function openNode(): Connection & Disposable {
  const route = openConnection(NETLINK_ROUTE);
  return { ...route, [Symbol.dispose]: route.close };
}
