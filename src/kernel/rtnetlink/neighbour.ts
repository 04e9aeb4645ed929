/** Neighbours: which hardware address an IP address has on a link (ARP, RFC 826; neighbour discovery, RFC 4861). */
import { formatAddress, type IpAddress, type IpFamily } from '../../lib/ip.ts';
import type { MacAddress } from '../../lib/mac.ts';
import type { Connection } from '../netlink/connection.ts';
import { type Frame, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type Request } from '../netlink/message.ts';
import { addressFamily, ipFamily } from './codecs.ts';
import type { LinkIdentity } from './link.ts';
import {
  neighbourFlags,
  neighbourMessage,
  neighbourStates,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from './neighbour-message.ts';

/** A neighbour that the kernel knows or asks for. */
export interface Neighbour {
  readonly linkIndex: number;
  readonly address: IpAddress;
  /** Absent while it is asked for. */
  readonly mac?: MacAddress | undefined;
  readonly state: keyof typeof neighbourStates | undefined;
  readonly router: boolean;
}

/** A neighbour to be made known. */
export interface NewNeighbour {
  readonly address: IpAddress;
  readonly mac: MacAddress;
  /** `permanent` when absent. */
  readonly state?: keyof typeof neighbourStates | undefined;
}

/** Which neighbours to list; the kernel does the choosing. */
export interface NeighbourFilter {
  readonly link?: LinkIdentity | undefined;
  readonly family?: IpFamily | undefined;
}

/** Neighbours of the namespace, of a link, of a family. Throws NetlinkError. */
export function listNeighbours(connection: Connection, { link, family }: NeighbourFilter = {}): Neighbour[] {
  const families: IpFamily[] = family === undefined ? [4, 6] : [family];
  return families.flatMap((each) => {
    const header = { family: addressFamily(each) };
    const body = neighbourMessage.encode(header, { linkIndex: link?.index });
    const operation = `list IPv${each} neighbours${link === undefined ? '' : ` on link ${link.name}`}`;
    return connection.dump({ operation, type: RTM_GETNEIGH, body }).flatMap((frame) => decode(frame) ?? []);
  });
}

function decode(frame: Frame): Neighbour | undefined {
  if (ipFamily(frame.body[0] ?? 0) === undefined) return undefined;
  const { header, attributes } = neighbourMessage.decode(frame.body);
  if (attributes.dst === undefined) return undefined;
  const names = Object.keys(neighbourStates) as (keyof typeof neighbourStates)[];
  return {
    linkIndex: header.index,
    address: attributes.dst,
    mac: attributes.mac,
    state: names.find((name) => neighbourStates[name] === header.state),
    router: (header.flags & neighbourFlags.router) !== 0,
  };
}

/** Makes a neighbour known; EEXIST when it is. */
export function addNeighbourRequest(link: LinkIdentity, neighbour: NewNeighbour): Request {
  return request('add', 'to', NLM_F_CREATE | NLM_F_EXCL, link, neighbour);
}

/** Sends addNeighbourRequest. Throws NetlinkError. */
export function addNeighbour(connection: Connection, link: LinkIdentity, neighbour: NewNeighbour): void {
  connection.request(addNeighbourRequest(link, neighbour));
}

/** Makes a neighbour known, in place of what was known of it. */
export function replaceNeighbourRequest(link: LinkIdentity, neighbour: NewNeighbour): Request {
  return request('replace', 'on', NLM_F_CREATE | NLM_F_REPLACE, link, neighbour);
}

/** Sends replaceNeighbourRequest. Throws NetlinkError. */
export function replaceNeighbour(connection: Connection, link: LinkIdentity, neighbour: NewNeighbour): void {
  connection.request(replaceNeighbourRequest(link, neighbour));
}

function request(
  verb: string,
  preposition: string,
  flags: number,
  link: LinkIdentity,
  neighbour: NewNeighbour,
): Request {
  const { address, mac, state = 'permanent' } = neighbour;
  const header = {
    family: addressFamily(address.family),
    index: link.index,
    state: neighbourStates[state],
  };
  return {
    operation: `${verb} neighbour ${formatAddress(address)} at ${mac} ${preposition} link ${link.name}`,
    type: RTM_NEWNEIGH,
    flags,
    body: neighbourMessage.encode(header, { dst: address, mac }),
  };
}

/** Forgets a neighbour; ENOENT when it is not known. */
export function deleteNeighbourRequest(link: LinkIdentity, address: IpAddress): Request {
  return {
    operation: `delete neighbour ${formatAddress(address)} from link ${link.name}`,
    type: RTM_DELNEIGH,
    body: neighbourMessage.encode(
      { family: addressFamily(address.family), index: link.index },
      { dst: address },
    ),
  };
}

/** Sends deleteNeighbourRequest. Throws NetlinkError. */
export function deleteNeighbour(connection: Connection, link: LinkIdentity, address: IpAddress): void {
  connection.request(deleteNeighbourRequest(link, address));
}
