/** What a bridge keeps for a port: IFLA_BRPORT_* (linux/if_link.h), in IFLA_INFO_SLAVE_DATA. */
import { attribute, attributes } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { u8, u16, u32, type ValueOf } from '../netlink/codec.ts';
import { bool8, choice } from './codecs.ts';

/** Spanning tree states, linux/if_bridge.h. */
const states = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const;

const settings = {
  state: attribute(1, choice(u8, states)),
  priority: attribute(2, u16),
  cost: attribute(3, u32),
  /** Frames may go back out of the port that they came in by. */
  hairpin: attribute(4, bool8),
  bpduGuard: attribute(5, bool8),
  rootBlock: attribute(6, bool8),
  fastLeave: attribute(7, bool8),
  learning: attribute(8, bool8),
  unicastFlood: attribute(9, bool8),
  proxyArp: attribute(10, bool8),
  multicastFlood: attribute(27, bool8),
  broadcastFlood: attribute(30, bool8),
  groupForwardMask: attribute(31, u16),
  neighbourSuppress: attribute(32, bool8),
  /** Isolated ports of a bridge do not reach each other. */
  isolated: attribute(33, bool8),
  locked: attribute(39, bool8),
};
const settingsCodec = attributes(settings);
const portCodec = attributes({ ...settings, number: attribute(18, u16) });

/** Settings of a port; what is absent stays as it is. */
export type BridgePortSettings = Readonly<ValueOf<typeof settingsCodec>>;

/** A port as it is: its settings, and its number in the bridge. */
export type BridgePort = Readonly<ValueOf<typeof portCodec>>;

/** Decodes IFLA_INFO_SLAVE_DATA of a bridge's port. Throws CodecError. */
export function decodeBridgePort(bytes: Uint8Array): BridgePort {
  return portCodec.decode(bytes);
}

/** Encodes settings as IFLA_INFO_SLAVE_DATA. Throws CodecError. */
export function encodeBridgePort(value: BridgePortSettings): Uint8Array {
  const writer = createWriter();
  settingsCodec.encode(writer, value);
  return writer.finish();
}
