/** The bridge in the container that a tap becomes a port of: the key `bridge`. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';

/** The bridge of that name. Throws a `CniError` (7) where there is none. */
export function findBridge(container: Connection, name: string, netns: string): Link {
  const link = getLink(container, name);
  if (link === undefined) {
    throw new CniError(
      'invalidConfig',
      `\`bridge\` of plugin \`tap\`: there is no interface ${name} in ${netns}`,
      'the bridge must be there before, made by an earlier plugin or by the one who made the namespace',
    );
  }
  if (link.kind === 'bridge') return link;
  throw new CniError(
    'invalidConfig',
    `\`bridge\` of plugin \`tap\`: ${name} is no bridge, but ${link.kindName === undefined ? 'without a kind' : `of kind ${link.kindName}`}`,
  );
}
