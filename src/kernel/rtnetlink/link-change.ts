/** Links: creating, changing, moving and deleting them. Each as a request, for batches, and as a call. */
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from '../netlink/message.ts';
import { encodeLinkData, type LinkData, type LinkKind } from './kinds/kinds.ts';
import type { LinkIdentity, LinkRef } from './link.ts';
import { linkMessage, RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK } from './link-message.ts';
import { describeSettings, type LinkSettings, settingsAttributes, settingsHeader } from './link-settings.ts';

/** Kinds that sit on another link and cannot be without. */
type ChildKind = 'ipvlan' | 'macvlan' | 'vlan';

/** Kinds that rtnetlink can make: taps have a way of their own (../tap/tap.ts). */
type CreatableKind = Exclude<LinkKind, 'tun'>;

/** What a kind needs to be created: its data, and a parent's index where it sits on one. */
type NewKind = {
  [K in CreatableKind]: {
    readonly kind: K;
    readonly data?: LinkData<K> | undefined;
    readonly parent?: K extends ChildKind ? number : undefined;
  } & (K extends ChildKind ? { readonly parent: number } : unknown);
}[CreatableKind];

/** A link to be created. Without `alias`, which the kernel does not look at here: `changeLink` sets it. */
export type NewLink = Omit<LinkSettings, 'alias'> &
  NewKind & {
    readonly name: string;
    /** A descriptor of the namespace to create it in; a parent is still one of the connection's namespace. */
    readonly netns?: number | undefined;
    readonly txQueues?: number | undefined;
    readonly rxQueues?: number | undefined;
  };

/** Creates a link; EEXIST when there is one of that name. */
export function createLinkRequest(link: NewLink): Request {
  const { name, kind, data = {}, parent, netns, txQueues, rxQueues, ...settings } = link;
  const kindWithData = { kind, data } as Parameters<typeof encodeLinkData>[0];
  return {
    operation: `create ${kind} link ${name}`,
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkMessage.encode(settingsHeader(settings), {
      ...settingsAttributes(settings),
      name,
      parent,
      info: { kind, data: encodeLinkData(kindWithData) },
      netnsFd: netns,
      txQueues,
      rxQueues,
    }),
  };
}

/** Sends createLinkRequest. Throws NetlinkError. */
export function createLink(connection: Connection, link: NewLink): void {
  connection.request(createLinkRequest(link));
}

/** Changes settings of a link; ENODEV when there is none. By name it can stand in the batch that creates the link. */
export function changeLinkRequest(link: LinkRef, settings: LinkSettings): Request {
  const { header, name } = address(link);
  return {
    operation: `set ${describeSettings(settings)} on link ${nameOf(link)}`,
    type: RTM_SETLINK,
    body: linkMessage.encode(
      { ...settingsHeader(settings), ...header },
      { ...settingsAttributes(settings), name },
    ),
  };
}

/** Sends changeLinkRequest. Throws NetlinkError. */
export function changeLink(connection: Connection, link: LinkRef, settings: LinkSettings): void {
  connection.request(changeLinkRequest(link, settings));
}

/** Changes what a link's kind has to say, e.g. a bridge's vlan filtering. The kernel refuses another kind's data. */
export function changeLinkDataRequest<K extends LinkKind>(
  link: LinkRef,
  kind: K,
  data: LinkData<K>,
): Request {
  const { header, name } = address(link);
  const kindWithData = { kind, data } as Parameters<typeof encodeLinkData>[0];
  return {
    operation: `set ${kind} options ${JSON.stringify(data)} on link ${nameOf(link)}`,
    type: RTM_NEWLINK,
    body: linkMessage.encode(header, { name, info: { kind, data: encodeLinkData(kindWithData) } }),
  };
}

/** Sends changeLinkDataRequest. Throws NetlinkError. */
export function changeLinkData<K extends LinkKind>(
  connection: Connection,
  link: LinkRef,
  kind: K,
  data: LinkData<K>,
): void {
  connection.request(changeLinkDataRequest(link, kind, data));
}

/**
 * Renames a link, and then sets what else is given: nothing of it where the name is refused. EBUSY when the link is up
 * and the kernel older than 6.2.
 */
export function renameLinkRequest(link: LinkIdentity, name: string, settings: LinkSettings = {}): Request {
  return {
    operation: `rename link ${link.name} to ${name}`,
    type: RTM_SETLINK,
    body: linkMessage.encode(
      { ...settingsHeader(settings), index: link.index },
      { ...settingsAttributes(settings), name },
    ),
  };
}

/** Sends renameLinkRequest. Throws NetlinkError. */
export function renameLink(connection: Connection, link: LinkIdentity, name: string): void {
  connection.request(renameLinkRequest(link, name));
}

/** Where a link goes, and what it is there. */
export interface LinkMove extends LinkSettings {
  /** A descriptor of the network namespace. */
  readonly netns: number;
  /** The name it gets there; its own when absent. */
  readonly name?: string | undefined;
}

/** Moves a link to another namespace, renamed and set in the same step. It loses its addresses and is down on the way. */
export function moveLinkRequest(link: LinkIdentity, move: LinkMove): Request {
  const { netns, name, ...settings } = move;
  return {
    operation: `move link ${link.name} to another network namespace as ${name ?? link.name}`,
    type: RTM_SETLINK,
    body: linkMessage.encode(
      { ...settingsHeader(settings), index: link.index },
      { ...settingsAttributes(settings), name, netnsFd: netns },
    ),
  };
}

/** Sends moveLinkRequest. Throws NetlinkError. */
export function moveLink(connection: Connection, link: LinkIdentity, move: LinkMove): void {
  connection.request(moveLinkRequest(link, move));
}

/** Deletes a link, and with it a veth's peer and what sits on it; ENODEV when there is none. */
export function deleteLinkRequest(link: LinkRef): Request {
  const { header, name } = address(link);
  return {
    operation: `delete link ${nameOf(link)}`,
    type: RTM_DELLINK,
    body: linkMessage.encode(header, { name }),
  };
}

/** Sends a request for deletion, and returns when the link is gone. Throws NetlinkError. */
export type LinkRemover = (connection: Connection, request: Request, link: LinkRef) => void;

let remover: LinkRemover = (connection, request) => void connection.request(request);

/** Has `deleteLink` done otherwise, for the rest of this process: link-removal.ts says how, and why. */
export function removeLinksBy(other: LinkRemover): void {
  remover = other;
}

/** Sends deleteLinkRequest. Throws NetlinkError. */
export function deleteLink(connection: Connection, link: LinkRef): void {
  remover(connection, deleteLinkRequest(link), link);
}

/** A name goes into IFLA_IFNAME; beside an index it would rename. */
export function address(link: LinkRef): { header: { index?: number }; name: string | undefined } {
  return typeof link === 'string'
    ? { header: {}, name: link }
    : { header: { index: link.index }, name: undefined };
}

/** The name, for error messages. */
export function nameOf(link: LinkRef): string {
  return typeof link === 'string' ? link : link.name;
}
