/** The container's interface as a link of its own, without a second end on the node: made and taken away. */
import {
  type AddRequest,
  type Attachment,
  type AttachmentInNamespace,
  type AttachmentToRemove,
  CniError,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import type { LinkKind } from '../../../kernel/rtnetlink/kinds/kinds.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { createLink, type NewLink, renameLink } from '../../../kernel/rtnetlink/link-change.ts';
import { identityOf } from '../../../plugin/attachment-identity.ts';
import { deleteLinkIfThere, presentLink } from '../../../plugin/links.ts';
import { type Container, openContainer, openContainerIfThere } from '../../../plugin/namespaces.ts';

type WithoutName<L> = L extends unknown ? Omit<L, 'name' | 'netns'> : never;

/** A link to be made, but for its name. */
export type NewInterface = WithoutName<NewLink>;

/** Where it is made: always in the container; its parent, where it has one, is in `parentIn`. */
export interface Place {
  readonly container: Container;
  readonly parentIn: Connection;
}

/**
 * Makes the container's interface and returns it, down. It is never on the node, not even for a moment, so it cannot
 * be left there. Undone if ADD fails later. Throws a `CniError` (2, 4, 7), NetlinkError.
 */
export function makeInterface(request: AddRequest, place: Place, link: NewInterface): Link {
  create(place, request.attachment, link);
  return madeInterface(request, place.container, link.kind);
}

/** The container's interface that was just made, by whatever way; undone if ADD fails later. Throws a `CniError` (11). */
export function madeInterface(request: AddRequest, container: Container, kind: LinkKind): Link {
  const { attachment } = request;
  request.onFailure(`creating interface ${attachment.ifname}`, () => {
    using again = openContainer(attachment);
    deleteInterface(again, attachment, kind);
  });
  return presentLink(container, attachment.ifname);
}

function create(place: Place, attachment: AttachmentInNamespace, link: NewInterface): void {
  const { container, parentIn } = place;
  const inside = parentIn === container;
  const named = (name: string) =>
    ({ ...link, name, ...(inside ? {} : { netns: container.netns.fd }) }) as NewLink;
  const { ifname } = attachment;
  try {
    createLink(parentIn, named(ifname));
  } catch (error) {
    const isNameOfNode =
      !inside && isNetlinkError(error, 'EEXIST') && getLink(parentIn, ifname) !== undefined;
    if (!isNameOfNode) throw explained(error, attachment, link, container);
    createUnderOtherName(place, attachment, link, named);
  }
}

/**
 * Before Linux 6.15 the name of a new link was looked for among the node's links (__rtnl_newlink, net/core/rtnetlink.c),
 * which most often have an eth0 too. Then it is made under a name that follows from the attachment, so that DEL finds it.
 */
function createUnderOtherName(
  { container, parentIn }: Place,
  attachment: AttachmentInNamespace,
  link: NewInterface,
  named: (name: string) => NewLink,
): void {
  const { hostName } = identityOf(attachment);
  try {
    createLink(parentIn, named(hostName));
  } catch (error) {
    throw explained(error, attachment, link, container);
  }
  const made = presentLink(container, hostName);
  try {
    renameLink(container, made, attachment.ifname);
  } catch (error) {
    deleteLinkIfThere(container, made);
    throw error;
  }
}

/** The kernel's refusals that say little of what would be right. */
function explained(
  error: unknown,
  attachment: AttachmentInNamespace,
  link: NewInterface,
  container: Connection,
): unknown {
  if (isNetlinkError(error, 'EOPNOTSUPP')) {
    return new CniError(
      'unsupportedField',
      `\`type\` of the plugin: this kernel has no links of kind ${link.kind}`,
      `it must be built with CONFIG_${link.kind.toUpperCase()}, and the module be loadable`,
    );
  }
  if (isNetlinkError(error, 'EEXIST') && existsIn(container, attachment)) {
    return existsAlready(attachment);
  }
  return error;
}

/** The error of an ADD that is called twice. */
export function existsAlready({ ifname, netns }: AttachmentInNamespace): CniError {
  return new CniError(
    'invalidEnvironment',
    `interface ${ifname} of this attachment exists already in ${netns}`,
    'an earlier ADD was not followed by DEL',
  );
}

function existsIn(container: Connection, attachment: Attachment): boolean {
  return namesOf(attachment).some((name) => getLink(container, name) !== undefined);
}

/** The interface's name, and the one it may have had before. */
function namesOf(attachment: Attachment): readonly string[] {
  return [attachment.ifname, identityOf(attachment).hostName];
}

/** Removes the container's interface where it is there; what else has its name is not what ADD made. */
export function removeInterface(attachment: AttachmentToRemove, kind: LinkKind): void {
  using container = openContainerIfThere(attachment);
  if (container !== undefined) deleteInterface(container, attachment, kind);
}

function deleteInterface(container: Connection, attachment: Attachment, kind: LinkKind): void {
  for (const name of namesOf(attachment)) {
    const link = getLink(container, name);
    if (link?.kind === kind) deleteLinkIfThere(container, link);
  }
}
