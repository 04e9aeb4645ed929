/** macvlan: links with hardware addresses of their own on one parent (IFLA_MACVLAN_*, linux/if_link.h). */
import { attribute, attributes } from '../../netlink/attributes.ts';
import { u32 } from '../../netlink/codec.ts';
import { choice } from '../codecs.ts';

/** enum macvlan_mode. */
const modes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const;

export const macvlan = attributes({
  mode: attribute(1, choice(u32, modes)),
  /** Broadcast packets queued at most, over all macvlans of a parent (kernel 5.11). */
  broadcastQueueLength: attribute(7, u32),
});
