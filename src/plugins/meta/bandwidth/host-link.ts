/** The node's end of the container's veth: where its packets are held to their rates. */
import { type AttachmentInNamespace, CniError, type Result } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { openContainer } from '../../../plugin/namespaces.ts';
import { chainedLink } from '../../shared/chained.ts';

/**
 * Finds it by the container's interface, among the interfaces that the plugins before told. Throws a `CniError`: 7 where
 * the interface is no veth, or its other end is not on the node or nobody told of it.
 */
export function hostLink(
  node: Connection,
  attachment: AttachmentInNamespace,
  { interfaces = [] }: Result,
): Link {
  using container = openContainer(attachment);
  const inside = chainedLink(container, attachment);
  if (inside.kind !== 'veth' || inside.parent === undefined) {
    const kind = inside.kindName === undefined ? 'no veth' : `a link of kind ${inside.kindName}, not a veth`;
    throw new CniError(
      'invalidConfig',
      `interface ${inside.name} is ${kind}: bandwidth works on the node's end of a veth`,
      'use it after bridge or ptp',
    );
  }
  const outside = getLink(node, inside.parent);
  const isOnNode = ({ name, sandbox }: { readonly name: string; readonly sandbox?: string }) =>
    name === outside?.name && !sandbox;
  if (outside?.kind === 'veth' && outside.parent === inside.index && interfaces.some(isOnNode))
    return outside;
  throw new CniError(
    'invalidConfig',
    `the other end of interface ${inside.name} is not among the node's interfaces in the previous result`,
    'bandwidth must come after the plugin that makes both',
  );
}
