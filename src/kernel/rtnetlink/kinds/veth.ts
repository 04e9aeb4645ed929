/** veth: two links, each the other's cable (drivers/net/veth.c). The kernel tells nothing but the kind when read. */
import { attribute, attributes } from '../../netlink/attributes.ts';
import type { Codec } from '../../netlink/codec.ts';
import { linkMessage } from '../link-message.ts';
import { type LinkSettings, settingsAttributes, settingsHeader } from '../link-settings.ts';

/**
 * The other end, made in the same step. The kernel does not look at `master` and `alias` here, and refuses `up`
 * with ENOTCONN, since the ends are not joined yet (veth_open).
 */
export interface VethPeer extends Omit<LinkSettings, 'up' | 'master' | 'alias'> {
  readonly name?: string | undefined;
  /** A descriptor of the network namespace in which the other end is made. */
  readonly netns?: number | undefined;
}

/** VETH_INFO_PEER holds a link message inside: struct ifinfomsg, then attributes. */
const peer: Codec<VethPeer> = {
  encode: (writer, value) => {
    const values = { ...settingsAttributes(value), name: value.name, netnsFd: value.netns };
    writer.bytes(linkMessage.encode(settingsHeader(value), values));
  },
  decode: (bytes) => {
    const { name, mac, mtu } = linkMessage.decode(bytes).attributes;
    return { name, mac, mtu };
  },
};

/** VETH_INFO_*, linux/veth.h. */
export const veth = attributes({ peer: attribute(1, peer) });
