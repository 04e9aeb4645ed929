/**
 * Names and hardware addresses that follow from an attachment. What a killed ADD left is found by them: no file
 * has to say what belongs to whom, and GC tells this network's links from another's on the same bridge.
 */
import type { Attachment } from '../cni/index.ts';
import { type MacAddress, macFromBytes } from '../lib/mac.ts';
import { sha256 } from './hash.ts';

/** How an attachment's pair of links is called and addressed. */
export interface AttachmentIdentity {
  /** The host side's name: `veth` and 8 hexadecimal digits, as the reference's look. */
  readonly hostName: string;
  /** The host side's hardware address: locally administered, the network's 16 bits, the attachment's 24. */
  readonly hostMac: MacAddress;
  /** The container side's hardware address, where nobody asks for another. */
  readonly containerMac: MacAddress;
}

/** The first byte of addresses made here: locally administered, unicast; `f` and `a` for Fairlead. */
const localUnicast = 0xfa;

/** The identity of an attachment: a function of its network, container and interface. */
export function identityOf({ network, containerId, ifname }: Attachment): AttachmentIdentity {
  const digest = sha256(`${network}\n${containerId}\n${ifname}`);
  return {
    hostName: `veth${digest.subarray(0, 4).toHex()}`,
    hostMac: macFromBytes(Uint8Array.of(localUnicast, ...networkBytes(network), ...digest.subarray(4, 7))),
    containerMac: macFromBytes(Uint8Array.of(localUnicast & 0xfe, ...digest.subarray(8, 13))),
  };
}

/** Whether a host-side hardware address was made for an attachment of that network, or of one that shares its 16 bits. */
export function isHostMacOf(network: string, mac: MacAddress): boolean {
  return mac.startsWith(`${macFromBytes(Uint8Array.of(localUnicast, ...networkBytes(network)))}:`);
}

/** The most that an alias may have in bytes (IFALIASZ less the NUL, linux/if.h); names and ids are ASCII. */
const longestAlias = 255;

/**
 * The alias of a host-side link: whose it is, for people who look at the node (`ip link`), and for GC. It is given
 * after the link is made, so that one may be without: a killed ADD's.
 */
export function ownerAlias({ network, containerId, ifname }: Attachment): string {
  return `${network} ${containerId} ${ifname}`.slice(0, longestAlias);
}

/** What tells a host-side link's network. */
interface HostLink {
  readonly mac: MacAddress;
  readonly alias?: string | undefined;
}

/** Whether a host-side link was made for an attachment of that network: by its address and, where it has one, its alias. */
export function isHostLinkOf(network: string, { mac, alias }: HostLink): boolean {
  return isHostMacOf(network, mac) && (alias === undefined || alias.startsWith(`${network} `));
}

function networkBytes(network: string): Uint8Array {
  return sha256(network).subarray(0, 2);
}
