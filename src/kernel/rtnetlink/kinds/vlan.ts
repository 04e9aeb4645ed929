/** vlan: the frames of a parent that carry one tag (IFLA_VLAN_*, linux/if_link.h). */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { be16, struct, u16, u32 } from '../../netlink/codec.ts';

export const vlan = attributes({
  /** 0–4094. */
  id: attribute(1, u16),
  /** VLAN_FLAG_* bits with the mask of those to set. */
  flags: attribute(2, struct({ bits: u32, mask: u32 })),
  /** 0x8100 (802.1Q, the default) or 0x88a8 (802.1ad). */
  protocol: attribute(5, be16),
});
