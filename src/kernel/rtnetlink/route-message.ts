/** A route's message: struct rtmsg and the RTA_ attributes (linux/rtnetlink.h). */
import type { IpAddress } from '../../lib/ip.ts';
import { attribute, attributes } from '../netlink/attributes.ts';
import { align4, CodecError } from '../netlink/bytes.ts';
import { type Codec, i32, ipAddress, struct, u8, u16, u32, type ValueOf } from '../netlink/codec.ts';
import { messageLayout } from '../netlink/message.ts';
import { addressFamily } from './codecs.ts';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

/** RTN_* */
export const routeTypes = {
  unspecified: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
} as const;

/** RTNH_F_*: what the kernel says of a next hop, and `onlink`, which can be given. */
export const nextHopFlags = { dead: 1, onlink: 4, linkDown: 16 } as const;

/** RTAX_* */
const metrics = attributes({ mtu: attribute(2, u32), advmss: attribute(8, u32) });

/** RTA_VIA: a gateway of another family than the route's (an IPv4 route through an IPv6 neighbour, RFC 5549). */
const via: Codec<IpAddress> = {
  encode: (writer, address) => {
    writer.u16(addressFamily(address.family));
    ipAddress.encode(writer, address);
  },
  decode: (bytes) => ipAddress.decode(bytes.subarray(2)),
};

const nextHopHeader = struct({ length: u16, flags: u8, hops: u8, oif: i32 });
const nextHopAttributes = attributes({ gateway: attribute(5, ipAddress), via: attribute(18, via) });
type NextHopMessage = Omit<ValueOf<typeof nextHopHeader>, 'length'> & ValueOf<typeof nextHopAttributes>;

/** RTA_MULTIPATH: struct rtnexthop with attributes inside, one after the other. */
const nextHops: Codec<NextHopMessage[]> = {
  encode: (writer, hops) => {
    for (const hop of hops) {
      const start = writer.position();
      nextHopHeader.encode(writer, { ...hop, length: 0 });
      nextHopAttributes.encode(writer, hop);
      writer.patchU16(start, writer.position() - start);
    }
  },
  decode: (bytes) => {
    const hops: NextHopMessage[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      const rest = bytes.subarray(offset);
      const { length, ...header } = nextHopHeader.decode(rest);
      if (length < nextHopHeader.size || length > rest.length) {
        throw new CodecError(`next hop at offset ${offset} says ${length} bytes, ${rest.length} are there`);
      }
      hops.push({ ...header, ...nextHopAttributes.decode(rest.subarray(nextHopHeader.size, length)) });
      offset += align4(length);
    }
    return hops;
  },
};

/** The message of RTM_NEWROUTE, DELROUTE and GETROUTE. */
export const routeMessage = messageLayout(
  {
    family: u8,
    dstLength: u8,
    srcLength: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    type: u8,
    flags: u32,
  },
  {
    dst: attribute(1, ipAddress),
    src: attribute(2, ipAddress),
    iif: attribute(3, u32),
    oif: attribute(4, u32),
    gateway: attribute(5, ipAddress),
    priority: attribute(6, u32),
    prefSrc: attribute(7, ipAddress),
    metrics: attribute(8, metrics),
    nextHops: attribute(9, nextHops),
    table: attribute(15, u32),
    mark: attribute(16, u32),
    via: attribute(18, via),
  },
);
