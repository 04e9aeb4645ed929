/** The message of neighbours and of bridges' forwarding entries: struct ndmsg, NDA_ attributes (linux/neighbour.h). */
import { attribute } from '../netlink/attributes.ts';
import { be16, i32, ipAddress, macAddress, reserved, u8, u16, u32 } from '../netlink/codec.ts';
import { messageLayout } from '../netlink/message.ts';

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

/** NUD_*: how far a neighbour is known. `permanent` and `noArp` do not change by themselves. */
export const neighbourStates = {
  none: 0,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noArp: 0x40,
  permanent: 0x80,
} as const;

/** NTF_* */
export const neighbourFlags = {
  self: 0x02,
  master: 0x04,
  proxy: 0x08,
  externallyLearned: 0x10,
  sticky: 0x40,
  router: 0x80,
} as const;

/** The message of RTM_NEWNEIGH, DELNEIGH and GETNEIGH. */
export const neighbourMessage = messageLayout(
  { family: u8, pad: reserved(3), index: i32, state: u16, flags: u8, type: u8 },
  {
    dst: attribute(1, ipAddress),
    mac: attribute(2, macAddress),
    vlan: attribute(5, u16),
    port: attribute(6, be16),
    vni: attribute(7, u32),
    /** In requests: the link whose entries are asked for, or, with VXLAN, the link that packets leave by. */
    linkIndex: attribute(8, u32),
    master: attribute(9, u32),
  },
);
