/** bridge: an Ethernet switch in software (IFLA_BR_*, linux/if_link.h). */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { be16, macAddress, u8, u16, u32 } from '../../netlink/codec.ts';
import { bool8 } from '../codecs.ts';

/** Times are in hundredths of a second (USER_HZ). */
export const bridge = attributes({
  forwardDelay: attribute(1, u32),
  helloTime: attribute(2, u32),
  maxAge: attribute(3, u32),
  /** How long a learned address is kept. */
  ageingTime: attribute(4, u32),
  /** 0 off, 1 the kernel's spanning tree, 2 a daemon's. */
  stpState: attribute(5, u32),
  priority: attribute(6, u16),
  vlanFiltering: attribute(7, bool8),
  /** 0x8100 (802.1Q) or 0x88a8 (802.1ad). */
  vlanProtocol: attribute(8, be16),
  groupForwardMask: attribute(9, u16),
  groupAddress: attribute(20, macAddress),
  multicastRouter: attribute(22, u8),
  multicastSnooping: attribute(23, bool8),
  multicastQuerier: attribute(25, bool8),
  callIptables: attribute(36, bool8),
  callIp6tables: attribute(37, bool8),
  callArptables: attribute(38, bool8),
  /** The vlan that new ports get as PVID, untagged; 0 for none. */
  vlanDefaultPvid: attribute(39, u16),
});
