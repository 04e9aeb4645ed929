/** How connection tracking identifies a flow (enum ctattr_tuple and those below it, linux/netfilter/nfnetlink_conntrack.h). */
import { type IpAddress, sameAddress } from '../../lib/ip.ts';
import { type AttributeValues, attribute, attributes, nestedBytes } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { be16, ipAddress, u8 } from '../netlink/codec.ts';

const fields = {
  // CTA_TUPLE_IP: CTA_IP_V4_SRC, CTA_IP_V4_DST, CTA_IP_V6_SRC, CTA_IP_V6_DST.
  ip: attribute(
    1,
    attributes({
      source4: attribute(1, ipAddress),
      destination4: attribute(2, ipAddress),
      source6: attribute(3, ipAddress),
      destination6: attribute(4, ipAddress),
    }),
  ),
  // CTA_TUPLE_PROTO: CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT.
  protocol: attribute(
    2,
    attributes({
      number: attribute(1, u8),
      sourcePort: attribute(2, be16),
      destinationPort: attribute(3, be16),
    }),
  ),
};

const codec = attributes(fields);

/** The payload of a tuple's attribute as it stands in the message: sent back unchanged, it names the same flow. */
export const tupleBytes = nestedBytes();

/** What of a flow's original direction is asked for. */
export interface TupleFilter {
  /** An IPPROTO_ number, linux/in.h. */
  readonly protocol: number;
  readonly destinationPort?: number;
  readonly destination?: IpAddress;
}

/** The filter's values as a tuple. */
export function encodeTupleFilter({ protocol, destinationPort, destination }: TupleFilter): Uint8Array {
  const values: AttributeValues<typeof fields> = {
    protocol: { number: protocol, ...(destinationPort === undefined ? {} : { destinationPort }) },
  };
  if (destination !== undefined) {
    values.ip = destination.family === 4 ? { destination4: destination } : { destination6: destination };
  }
  const writer = createWriter();
  codec.encode(writer, values);
  return writer.finish();
}

/** Where a flow goes. */
export interface Destination {
  readonly address: IpAddress;
  readonly port: number;
}

/** Whether a tuple, in its attribute's bytes, is what the filter asks for and `accepts`. Throws CodecError. */
export function matchesTuple(
  bytes: Uint8Array,
  filter: TupleFilter,
  accepts: (destination: Destination) => boolean = () => true,
): boolean {
  const { ip, protocol } = codec.decode(bytes);
  const address = ip?.destination4 ?? ip?.destination6;
  const port = protocol?.destinationPort;
  // ICMP has no ports.
  if (address === undefined || port === undefined || protocol?.number !== filter.protocol) return false;
  if (filter.destinationPort !== undefined && port !== filter.destinationPort) return false;
  if (filter.destination !== undefined && !sameAddress(filter.destination, address)) return false;
  return accepts({ address, port });
}
