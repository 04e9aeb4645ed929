/** tun: links whose other end is a program (IFLA_TUN_*, linux/if_link.h). Only read: they are made by ../../tap/tap.ts. */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { u8, u32 } from '../../netlink/codec.ts';
import { bool8, choice } from '../codecs.ts';

export const tun = attributes({
  /** The user that may open it; absent where none is named. */
  owner: attribute(1, u32),
  group: attribute(2, u32),
  /** IFF_TUN, IP packets; IFF_TAP, Ethernet frames (linux/if_tun.h). */
  type: attribute(3, choice(u8, { tun: 1, tap: 2 })),
  /** Whether it stays when no program has it open. */
  persistent: attribute(6, bool8),
  multiQueue: attribute(7, bool8),
});
