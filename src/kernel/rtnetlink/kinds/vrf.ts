/** vrf: links that are ports of it have a routing table of their own (IFLA_VRF_*, linux/if_link.h). */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { u32 } from '../../netlink/codec.ts';

export const vrf = attributes({
  /** The routing table, which cannot be changed. */
  table: attribute(1, u32),
});
