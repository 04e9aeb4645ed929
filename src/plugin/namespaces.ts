/** The namespaces and sockets of one request: the node's, and the container's. */
import { type AttachmentInNamespace, type AttachmentToRemove, CniError } from '../cni/index.ts';
import { type Connection, NETLINK_ROUTE, openConnection } from '../kernel/netlink/connection.ts';
import { isOwnNetns, type NetworkNamespace, NotANamespaceError, openNetns } from '../kernel/netns/netns.ts';

/** The node's own network namespace: an rtnetlink connection in it. `using node = openNode()` closes it again. */
export interface Node extends Connection, Disposable {}

/** A container's network namespace, open: an rtnetlink connection in it. `using` closes both. */
export interface Container extends Connection, Disposable {
  /** The namespace: its `fd` is what a link is made in or moved to, and sysctls take it. */
  readonly netns: NetworkNamespace;
}

/** What names a namespace: a request's `attachment` does. */
export type NamespaceOf = Pick<AttachmentInNamespace, 'netns' | 'netnsOverride'>;

/**
 * Opens the container's namespace. Throws a `CniError` (8) that says what is at the path instead of one, and for the
 * plugin's own namespace, which the runtime must allow by CNI_NETNS_OVERRIDE, as the reference library (pkg/skel) has it.
 */
export function openContainer({ netns: path, netnsOverride = false }: NamespaceOf): Container {
  const netns = explained(path, () => openNetns(path));
  try {
    if (!netnsOverride && isOwnNetns(netns)) throw ownNamespace(path);
    // Only now a namespace of another kind shows.
    const route = explained(path, () => openConnection(NETLINK_ROUTE, netns));
    const close = () => {
      route.close();
      netns.close();
    };
    return { ...route, netns, close, [Symbol.dispose]: close };
  } catch (error) {
    netns.close();
    throw error;
  }
}

function ownNamespace(path: string): CniError {
  return new CniError(
    'invalidNetns',
    `CNI_NETNS ${path} is the network namespace that the plugin itself runs in, not a container's`,
    'a runtime that means it sets CNI_NETNS_OVERRIDE=1',
  );
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
 * is no namespace (what is left of one after a reboot). Then there is nothing in it to remove. Throws a `CniError` (8)
 * for the plugin's own namespace: what has the interface's name there is the node's.
 */
export function openContainerIfThere({
  netns,
  netnsOverride = false,
}: Pick<AttachmentToRemove, 'netns' | 'netnsOverride'>): Container | undefined {
  if (netns === undefined) return undefined;
  const container = openAny(netns);
  if (container === undefined || netnsOverride || !isOwnNetns(container.netns)) return container;
  container.close();
  throw ownNamespace(netns);
}

function openAny(netns: string): Container | undefined {
  try {
    return openContainer({ netns, netnsOverride: true });
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

/** Opens an rtnetlink connection in the node's own namespace. */
export function openNode(): Node {
  const route = openConnection(NETLINK_ROUTE);
  return { ...route, [Symbol.dispose]: route.close };
}
