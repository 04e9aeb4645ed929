/** ipvlan: links with the parent's hardware address and IP addresses of their own (IFLA_IPVLAN_*, linux/if_link.h). */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { u16 } from '../../netlink/codec.ts';
import { choice } from '../codecs.ts';

export const ipvlan = attributes({
  mode: attribute(1, choice(u16, { l2: 0, l3: 1, l3s: 2 })),
  /** Whether links of one parent reach each other: directly, not at all, or through the switch outside. */
  isolation: attribute(2, choice(u16, { bridge: 0, private: 1, vepa: 2 })),
});
