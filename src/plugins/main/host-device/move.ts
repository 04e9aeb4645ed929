/**
 * A device on its way into a container and back. Each way is one datagram, so one step to a process that is killed; and
 * the device carries its name on the node as alias from the moment on that it is in the container, as the reference
 * has it: whoever finds it there or, after the container's end, under another name on the node knows what it was.
 */
import {
  type AddRequest,
  type Attachment,
  type AttachmentInNamespace,
  CniError,
} from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { openOwnNetns } from '../../../kernel/netns/netns.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import {
  changeLinkRequest,
  moveLink,
  moveLinkRequest,
  renameLinkRequest,
} from '../../../kernel/rtnetlink/link-change.ts';
import type { LinkSettings } from '../../../kernel/rtnetlink/link-settings.ts';
import { presentLink } from '../../../plugin/links.ts';
import { type Container, openContainerIfThere, openNode } from '../../../plugin/namespaces.ts';
import { named, type Selector } from './config.ts';

/**
 * Moves the device into the container, under the interface's name, up. Undone if ADD fails later, or if the kernel does
 * not come to the end of it. Returns the link as it is there. Throws a `CniError` (4, 7, 11), NetlinkError.
 */
export function moveIn(
  request: AddRequest<unknown>,
  { node, container }: { readonly node: Connection; readonly container: Container },
  selector: Selector,
  device: Link,
): Link {
  const { attachment } = request;
  request.onFailure(`moving ${device.name} into the container`, () => moveBack(attachment, device));
  const move = { netns: container.netns.fd, name: attachment.ifname, alias: device.name, up: true };
  try {
    moveLink(node, device, move);
  } catch (error) {
    throw explained(error, node, attachment, selector, device);
  }
  return presentLink(container, attachment.ifname);
}

/** The kernel's refusals that say little of what would be right. */
function explained(
  error: unknown,
  node: Connection,
  { ifname, netns }: AttachmentInNamespace,
  selector: Selector,
  { name, index, kindName }: Link,
): unknown {
  const told = (code: 'invalidEnvironment' | 'invalidConfig' | 'tryAgainLater', what: string) =>
    new CniError(code, `${named(selector)}: ${what}`, (error as Error).message);
  if (isNetlinkError(error, 'ENODEV'))
    return told('tryAgainLater', `${name} was taken by another container just now`);
  if (isNetlinkError(error, 'EEXIST'))
    return told(
      'invalidEnvironment',
      `${ifname}, or an alternative name of ${name}, is taken in ${netns} already`,
    );
  if (isNetlinkError(error, 'EBUSY') || isNetlinkError(error, 'EADDRINUSE'))
    return told('tryAgainLater', `${name} is busy and cannot be set up in a container`);
  if (isNetlinkError(error, 'EINVAL') && getLink(node, index)?.name === name)
    return told(
      'invalidConfig',
      `${name} cannot leave the node, as no link${kindName === undefined ? ' of its driver' : ` of kind ${kindName}`} can`,
    );
  return error;
}

/** Undoes `moveIn`, however far it came: name, alias, and whether it was up, are as before. */
function moveBack(attachment: AttachmentInNamespace, device: Link): void {
  using container = openContainerIfThere(attachment);
  if (container === undefined) return;
  const moved = movedLink(container, attachment, device);
  if (moved === undefined) return;
  giveBack(container, moved, device.name, {
    alias: device.alias ?? '',
    ...(device.flags.up && { up: true }),
  });
}

/** Under its new name with its old one as alias; where the kernel refused the name, under the old one. */
function movedLink(container: Connection, { ifname }: Attachment, device: Link): Link | undefined {
  const renamed = getLink(container, ifname);
  if (renamed !== undefined && renamed.alias === device.name) return renamed;
  const unnamed = getLink(container, device.name);
  return unnamed !== undefined && isSame(unnamed, device) ? unnamed : undefined;
}

function isSame(one: Link, other: Link): boolean {
  return one.mac === other.mac && one.kindName === other.kindName && one.hardwareType === other.hardwareType;
}

/** Where its name on the node is taken meanwhile, a device gets the next free one of these, as the kernel itself names it. */
const substituteName = 'dev%d';

/**
 * Moves a device from a container to the node, under this name, down. It gets the name in the container, if that is free
 * there: programs on the node that name devices (udev, NetworkManager) are to see one name only. None there is as
 * good. Throws NetlinkError.
 */
export function giveBack(
  container: Connection,
  link: Link,
  name: string,
  settings: LinkSettings = { alias: '' },
): void {
  using node = openNode();
  const isTaken = getLink(node, name) !== undefined;
  const isFreeInside = getLink(container, name) === undefined;
  const target = isTaken ? { name: substituteName } : { ...settings, name };
  const own = openOwnNetns();
  try {
    container.requestAll([
      ...(isTaken || !isFreeInside
        ? []
        : [changeLinkRequest(link, { up: false }), renameLinkRequest(link, name)]),
      moveLinkRequest(link, { ...target, netns: own.fd }),
    ]);
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  } finally {
    own.close();
  }
}

/** The name on the node that a device's alias tells, where it tells one. `%` would be a pattern to the kernel. */
export function oldNameOf({ alias = '' }: Pick<Link, 'alias'>): string | undefined {
  return interfaceNameProblem(alias) === undefined ? alias : undefined;
}
