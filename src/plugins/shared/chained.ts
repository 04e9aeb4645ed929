/** What plugins have in common that come after one that made the interface. */
import { type AddRequest, type AttachmentInNamespace, CniError, type Result } from '../../cni/index.ts';
import type { Connection } from '../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../kernel/rtnetlink/link.ts';

/** The result of the plugins before. Throws a `CniError` (7) where the plugin is not in a chain, as the reference's do. */
export function chainedResult({ previousResult, plugin }: AddRequest<unknown>): Result {
  if (previousResult !== undefined) return previousResult;
  throw new CniError(
    'invalidConfig',
    `\`prevResult\` of plugin \`${plugin}\` is missing`,
    `${plugin} must come after a plugin that makes the container's interface, in the \`plugins\` of a conflist`,
  );
}

/** The interface that the plugins before made. Throws a `CniError` (4) where it is not there. */
export function chainedLink(
  container: Connection,
  { ifname, netns }: Pick<AttachmentInNamespace, 'ifname' | 'netns'>,
): Link {
  const link = getLink(container, ifname);
  if (link !== undefined) return link;
  throw new CniError(
    'invalidEnvironment',
    `interface ${ifname} does not exist in ${netns}`,
    'a plugin before this one must make it, with the name that CNI_IFNAME says',
  );
}
