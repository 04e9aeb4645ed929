/** A lease, as a value: whose it is, where it is used, what the server said, until when it holds. */
import type { Attachment } from '../../../cni/index.ts';
import type { IpAddress } from '../../../lib/ip.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { type ClientOptions, clientIdOf } from './config.ts';
import { option, type ServerMessage } from './protocol/message.ts';
import { addressIn, numberIn } from './protocol/option-values.ts';

/** An interface in a namespace, so that another one of the same name or in the same place is not taken for it. */
export interface Interface {
  /** What tells the namespace from every other one of this boot. */
  readonly namespace: string;
  readonly name: string;
  readonly index: number;
  readonly mac: MacAddress;
}

/** When what is due, in milliseconds since the boot. */
export interface Times {
  /** T1: from now on the server is asked to renew. */
  readonly renew: number;
  /** T2: from now on any server is. */
  readonly rebind: number;
  readonly expire: number;
}

/** A lease. */
export interface Lease {
  readonly attachment: Attachment;
  /** The namespace's path, as the plugin was given it. */
  readonly netns: string;
  readonly interface: Interface;
  readonly options: ClientOptions;
  /** The last ACK; what it left out, those before said. */
  readonly ack: ServerMessage;
  /** Where the server's frames came from: its hardware address, or that of the router before it. */
  readonly serverMac: MacAddress;
  readonly times: Times;
}

/** Its key, and its name in the log: the client's identity, but whole. */
export function leaseId({ attachment: { containerId, network, ifname } }: Pick<Lease, 'attachment'>): string {
  return `${containerId}/${network}/${ifname}`;
}

/** The client's identity for the server. */
export function clientId({
  attachment: { containerId, network, ifname },
}: Pick<Lease, 'attachment'>): string {
  return clientIdOf(containerId, network, ifname);
}

/** The server that gave it. */
export function serverOf({ ack }: Pick<Lease, 'ack'>): IpAddress | undefined {
  return addressIn(ack.options, option.serverId);
}

/** What a server means that says no time: the reference's default. */
const defaultSeconds = 3600;
/** RFC 2131 section 3.3. */
const forever = 0xffff_ffff;

/**
 * The times of a lease that was asked for at `since`. T1 is half of the lease and T2 85 of 100 parts where the server says nothing
 * else, as the reference has it, or something that contradicts the lease.
 */
export function timesOf({ options }: ServerMessage, since: number): Times {
  const seconds = numberIn(options, option.leaseTime, 4) ?? defaultSeconds;
  if (seconds === forever) {
    const never = Number.MAX_SAFE_INTEGER;
    return { renew: never, rebind: never, expire: never };
  }
  const within = (code: number, least: number, otherwise: number) => {
    const said = numberIn(options, code, 4) ?? 0;
    return said >= least && said <= seconds && said > 0 ? said : Math.max(least, otherwise);
  };
  const renew = within(option.renewalTime, 0, seconds / 2);
  const rebind = within(option.rebindingTime, renew, seconds * 0.85);
  return { renew: since + renew * 1000, rebind: since + rebind * 1000, expire: since + seconds * 1000 };
}
