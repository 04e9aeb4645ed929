/** Links (network interfaces): reading them. */
import type { MacAddress } from '../../lib/mac.ts';
import { once } from '../../lib/once.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Frame, Request } from '../netlink/message.ts';
import { type BridgePort, decodeBridgePort } from './bridge-port-data.ts';
import { readFlags } from './codecs.ts';
import { decodeLinkData, isKnownKind, type KindWithData } from './kinds/kinds.ts';
import { linkMessage, type operStates, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK } from './link-message.ts';
import { type LinkFlags, linkFlags } from './link-settings.ts';

/** Which link: what requests need, and what people read in errors. Every Link is one. */
export interface LinkIdentity {
  readonly index: number;
  readonly name: string;
}

/** A link by its name, or by its identity, which also finds it if it was renamed meanwhile. */
export type LinkRef = string | LinkIdentity;

interface LinkProperties extends LinkIdentity {
  readonly flags: LinkFlags;
  /** Empty where the kind has no hardware addresses. */
  readonly mac: MacAddress;
  readonly mtu: number;
  /** RFC 2863 operational state; `unknown` is what lo and dummies say when they work. */
  readonly operState: keyof typeof operStates;
  /** The kernel's word for the kind (IFLA_INFO_KIND); absent for physical links and lo. */
  readonly kindName?: string | undefined;
  /** The index of the bridge, bond or VRF that this link is a port of. */
  readonly master?: number | undefined;
  /** The kind of the master, e.g. `bridge`. */
  readonly masterKind?: string | undefined;
  /** What the link is as a port, when its master is a bridge. */
  readonly bridgePort?: BridgePort | undefined;
  /** IFLA_LINK: a veth's peer, the parent of a vlan, macvlan or ipvlan. An index in the namespace of `parentNetnsId`. */
  readonly parent?: number | undefined;
  /** This namespace's id for the namespace of `parent`; absent when it is this one. */
  readonly parentNetnsId?: number | undefined;
  readonly alias?: string | undefined;
  readonly txQueueLength: number;
  readonly group: number;
  /** The hardware's own address, where there is hardware. */
  readonly permanentMac?: MacAddress | undefined;
  /** The name of the device that the link is of, as its bus knows it: `0000:1f:00.2`. Linux 5.14 and newer say it. */
  readonly parentDevice?: string | undefined;
  /** How many users want promiscuous mode; IFF_PROMISC in flags is set by hand only. */
  readonly promiscuity: number;
  /** Hardware type, linux/if_arp.h: 1 is Ethernet, 772 loopback. */
  readonly hardwareType: number;
}

/** A link; `kind` tells the type of `data`, and both are undefined for kinds that are not known here. */
export type Link = LinkProperties & (KindWithData | { readonly kind: undefined; readonly data: undefined });

/** The link of a name, an alternative name or an index; undefined only when the kernel says that there is none. Throws NetlinkError. */
export function getLink(connection: Connection, link: string | number): Link | undefined {
  try {
    const [frame] = connection.request(getLinkRequest(link));
    return frame === undefined ? undefined : decodeLink(frame);
  } catch (error) {
    if (isNetlinkError(error, 'ENODEV')) return undefined;
    throw error;
  }
}

/** What fits into IFLA_IFNAME: IFNAMSIZ less the NUL (linux/if.h). Longer ones can but be alternative names. */
const longestName = 15;

function getLinkRequest(link: string | number): Request {
  const byName = typeof link === 'string';
  const key = byName && link.length > longestName ? 'altName' : 'name';
  return {
    operation: `get link ${byName ? link : `with index ${link}`}`,
    type: RTM_GETLINK,
    body: linkMessage.encode(byName ? {} : { index: link }, {
      [key]: byName ? link : undefined,
      extMask: RTEXT_FILTER_SKIP_STATS,
    }),
  };
}

/** Which links to list; the kernel does the choosing. */
export interface LinkFilter {
  /** Only ports of the master with this index. */
  readonly master?: number | undefined;
  /** Only links of this kind (IFLA_INFO_KIND). */
  readonly kind?: string | undefined;
}

/** All links of the namespace, or those of a filter. Throws NetlinkError. */
export function listLinks(connection: Connection, filter: LinkFilter = {}): Link[] {
  const { master, kind } = filter;
  const info = kind === undefined ? undefined : { kind };
  const body = linkMessage.encode({}, { master, info, extMask: RTEXT_FILTER_SKIP_STATS });
  return connection.dump({ operation: 'list links', type: RTM_GETLINK, body }).map(decodeLink);
}

function decodeLink(frame: Frame): Link {
  const { header, attributes } = linkMessage.decode(frame.body);
  const { info = {}, mac = '', mtu = 0, name = '', operState = 'unknown', ...rest } = attributes;
  const port = info.slaveKind === 'bridge' ? info.slaveData : undefined;
  const { kind } = info;
  // What few ask for is decoded when they do: a bridge and its ports have some forty attributes each.
  const known = isKnownKind(kind)
    ? { kind, data: once(() => decodeLinkData(kind, info.data ?? new Uint8Array())) }
    : undefined;
  const bridgePort = port && once(() => decodeBridgePort(port));
  return {
    index: header.index,
    name,
    flags: readFlags(linkFlags, header.flags),
    mac,
    mtu,
    operState,
    kindName: info.kind,
    master: rest.master,
    masterKind: info.slaveKind,
    get bridgePort() {
      return bridgePort?.();
    },
    parent: rest.parent,
    parentNetnsId: rest.parentNetnsId,
    alias: rest.alias,
    txQueueLength: rest.txQueueLength ?? 0,
    group: rest.group ?? 0,
    permanentMac: rest.permanentMac,
    parentDevice: rest.parentDevice,
    promiscuity: rest.promiscuity ?? 0,
    hardwareType: header.type,
    kind: known?.kind,
    get data() {
      return known?.data();
    },
  } as Link;
}
