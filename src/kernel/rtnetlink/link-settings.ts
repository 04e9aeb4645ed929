/** What can be set on a link of any kind, when it is created, changed or moved, and on a veth's peer. */
import type { MacAddress } from '../../lib/mac.ts';
import { type Flags, writeFlags } from './codecs.ts';

/** IFF_*, linux/if.h: those that can be set or that say something of a link. */
export const linkFlags = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  pointToPoint: 0x10,
  /** Operationally up, as the kernel sees it. */
  running: 0x40,
  noArp: 0x80,
  promisc: 0x100,
  allMulticast: 0x200,
  multicast: 0x1000,
  /** The carrier is there. */
  lowerUp: 0x1_0000,
} as const;

/** A link's flags by name. */
export type LinkFlags = Flags<typeof linkFlags>;

/** Settings of a link; what is absent stays as it is, or as the kernel makes it. */
export interface LinkSettings {
  readonly up?: boolean | undefined;
  readonly promisc?: boolean | undefined;
  readonly allMulticast?: boolean | undefined;
  readonly multicast?: boolean | undefined;
  readonly noArp?: boolean | undefined;
  readonly mac?: MacAddress | undefined;
  /** Bytes of the largest packet, without the link header. */
  readonly mtu?: number | undefined;
  /** The index of the bridge (bond, VRF) that the link becomes a port of; 'none' takes it out. */
  readonly master?: number | 'none' | undefined;
  /** A text of at most 255 bytes; the empty one removes it. */
  readonly alias?: string | undefined;
  /** Length of the transmit queue in packets. */
  readonly txQueueLength?: number | undefined;
  /** The link group, 0 for the default one. */
  readonly group?: number | undefined;
}

/** The part of struct ifinfomsg that settings fill in. */
export function settingsHeader(settings: LinkSettings): { flags: number; change: number } {
  const { up, promisc, allMulticast, multicast, noArp } = settings;
  const { bits, mask } = writeFlags(linkFlags, { up, promisc, allMulticast, multicast, noArp });
  return { flags: bits, change: mask };
}

/** The IFLA_ attributes that settings become. */
export function settingsAttributes(settings: LinkSettings) {
  const { mac, mtu, master, alias, txQueueLength, group } = settings;
  return { mac, mtu, master: master === 'none' ? 0 : master, alias, txQueueLength, group };
}

/** Settings in words, for error messages: `up, mtu 1400, master 5`. */
export function describeSettings(settings: LinkSettings): string {
  const words: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (typeof value === 'boolean')
      words.push(name === 'up' ? (value ? 'up' : 'down') : `${name} ${value ? 'on' : 'off'}`);
    else words.push(`${name} ${name === 'alias' ? JSON.stringify(value) : value}`);
  }
  return words.join(', ');
}
