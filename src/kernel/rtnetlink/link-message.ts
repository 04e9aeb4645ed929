/** A link's message: struct ifinfomsg and the IFLA_ attributes (linux/rtnetlink.h, linux/if_link.h). */
import { attribute, attributes, nestedBytes } from '../netlink/attributes.ts';
import { cstring, i32, macAddress, reserved, u8, u16, u32 } from '../netlink/codec.ts';
import { messageLayout } from '../netlink/message.ts';
import { choice, text } from './codecs.ts';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;

/** RTEXT_FILTER_SKIP_STATS: leaves out the counters, half of every answer. */
export const RTEXT_FILTER_SKIP_STATS = 8;

/** IF_OPER_*, linux/if.h (RFC 2863 section 3.1.14). */
export const operStates = {
  unknown: 0,
  notPresent: 1,
  down: 2,
  lowerLayerDown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
} as const;

/** What the link's driver, and the driver of what it is a port of, add: IFLA_LINKINFO. */
const linkInfo = attributes({
  kind: attribute(1, cstring),
  data: attribute(2, nestedBytes()),
  slaveKind: attribute(4, cstring),
  slaveData: attribute(5, nestedBytes()),
});

/** The message of RTM_NEWLINK, SETLINK, GETLINK and DELLINK. */
export const linkMessage = messageLayout(
  { family: u8, pad: reserved(1), type: u16, index: i32, flags: u32, change: u32 },
  {
    mac: attribute(1, macAddress),
    name: attribute(3, cstring),
    mtu: attribute(4, u32),
    parent: attribute(5, u32),
    master: attribute(10, u32),
    txQueueLength: attribute(13, u32),
    operState: attribute(16, choice(u8, operStates)),
    info: attribute(18, linkInfo),
    alias: attribute(20, text),
    afSpec: attribute(26, nestedBytes()),
    group: attribute(27, u32),
    netnsFd: attribute(28, u32),
    extMask: attribute(29, u32),
    promiscuity: attribute(30, u32),
    txQueues: attribute(31, u32),
    rxQueues: attribute(32, u32),
    parentNetnsId: attribute(37, i32),
    altName: attribute(53, cstring),
    permanentMac: attribute(54, macAddress),
    parentDevice: attribute(56, cstring),
  },
);
