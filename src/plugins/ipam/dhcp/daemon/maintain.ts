/** Keeping a lease: RFC 2131 section 4.4.5, and what the reference does where it ends. */
import { messageOf } from '../../../../cni/index.ts';
import { changeLink } from '../../../../kernel/rtnetlink/link-change.ts';
import { formatAddress, type IpAddress } from '../../../../lib/ip.ts';
import {
  type Acquired,
  acquireOnce,
  type Client,
  describeFailure,
  extendOnce,
  type Granted,
  type Refused,
} from '../client.ts';
import { sinceBoot } from '../clock.ts';
import { clientId, type Lease, leaseId, serverOf, timesOf } from '../lease.ts';
import { pause } from '../pause.ts';
import { openIfThere } from '../place.ts';
import type { DaemonSettings } from './flags.ts';
import type { Log } from './log.ts';

/** What a lease's maintenance needs. */
export interface Upkeep {
  readonly settings: DaemonSettings;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called with each lease that takes the place of the one before. */
  renewed(lease: Lease): void;
  /** Whether it is still to be kept: a plugin may have taken it away without this daemon. */
  isWanted(): boolean;
}

/** How often is looked whether the interface is still there, in milliseconds. */
const lookEvery = 30_000;
/** How long after an error of this machine's, which may pass: too many open files, a full disk. */
const afterError = 2000;
/** The shortest time between two attempts to extend a lease that has time left (RFC 2131 section 4.4.5). */
const leastWait = 60_000;

/**
 * Renews the lease until the signal, or until it ends: quietly where its interface is gone or nobody wants it, with the
 * interface set down where it expired. Returns when it has ended; never throws.
 */
export async function maintain(first: Lease, upkeep: Upkeep): Promise<void> {
  const { signal, log } = upkeep;
  const id = leaseId(first);
  let lease = first;
  while (!signal.aborted) {
    try {
      const next = (await untilRenewal(lease, upkeep)) ? await extended(lease, upkeep) : 'gone';
      if (signal.aborted) return;
      if (next === 'gone')
        return log(`${id}: interface ${lease.interface.name} is gone, and the lease with it`);
      if (next === 'expired') return expire(lease, upkeep);
      lease = next;
      upkeep.renewed(lease);
      log(`${id}: lease renewed: ${describeLease(lease)}`);
    } catch (error) {
      if (signal.aborted) return;
      log(`${id}: ${messageOf(error)}`);
      if (sinceBoot() >= lease.times.expire) return expire(lease, upkeep);
      await pause(afterError, signal);
    }
  }
}

/** `10.1.0.9/24 of server 10.1.0.1, for 3600 s`. */
export function describeLease({ ack, times }: Lease): string {
  const server = serverOf({ ack });
  const seconds = Math.round((times.expire - sinceBoot()) / 1000);
  const of = server === undefined ? '' : ` of server ${formatAddress(server)}`;
  return `${formatAddress(ack.yourAddress)}${of}, for ${times.expire === Number.MAX_SAFE_INTEGER ? 'ever' : `${seconds} s`}`;
}

/** Waits for T1; false where the lease's interface is gone or nobody wants it any more, or the signal came. */
async function untilRenewal({ netns, interface: link, times }: Lease, upkeep: Upkeep): Promise<boolean> {
  const { signal, settings, isWanted } = upkeep;
  for (;;) {
    const left = times.renew - sinceBoot();
    if (left > 0) await pause(Math.min(left, lookEvery), signal);
    if (signal.aborted || !isWanted()) return false;
    using container = openIfThere(settings.hostPrefix + netns, link);
    if (container === undefined) return false;
    if (left <= 0) return true;
  }
}

/** How long is asked once more for a lease that has expired, and how often before. In milliseconds. */
const leastQuestion = 1000;

type Extension = Lease | 'gone' | 'expired';

/** RENEWING until T2, REBINDING until the end; after a server's no from the beginning, for the same address. */
async function extended(lease: Lease, upkeep: Upkeep): Promise<Extension> {
  const { times } = lease;
  upkeep.log(`${leaseId(lease)}: renewing lease`);
  const renewed = await attempts(lease, upkeep, times.rebind, serverOf(lease));
  if (renewed !== undefined) return afterAnswer(lease, upkeep, renewed);
  if (upkeep.signal.aborted) return 'gone';
  if (sinceBoot() < times.expire) upkeep.log(`${leaseId(lease)}: the server does not answer, asking any`);
  const rebound = await attempts(lease, upkeep, times.expire);
  return rebound === undefined ? regained(lease, upkeep) : afterAnswer(lease, upkeep, rebound);
}

type Outcome = Granted | Refused | 'gone';

function afterAnswer(lease: Lease, upkeep: Upkeep, outcome: Outcome): Extension | Promise<Extension> {
  if (outcome === 'gone') return 'gone';
  if ('message' in outcome) return withAck(lease, outcome);
  upkeep.log(`${leaseId(lease)}: ${describeFailure(outcome)}; beginning again`);
  return regained(lease, upkeep);
}

/** Asks once and again until a time; undefined where nobody answers until then. */
async function attempts(
  lease: Lease,
  upkeep: Upkeep,
  until: number,
  server?: IpAddress,
): Promise<Outcome | undefined> {
  const { signal, settings } = upkeep;
  const client = clientOf(lease, settings);
  for (;;) {
    const left = until - sinceBoot();
    if (left <= 0 || signal.aborted) return undefined;
    {
      using container = openIfThere(settings.hostPrefix + lease.netns, lease.interface);
      if (container === undefined) return 'gone';
      const answer = await extendOnce(client, container.netns, lease.ack, { signal, server, forMs: left });
      if (answer !== undefined) return answer;
    }
    const rest = until - sinceBoot();
    await pause(Math.min(rest, Math.max(rest / 2, leastWait)), signal);
  }
}

/** From DISCOVER, for the address that the container has: once at least, and until the lease's end. */
async function regained(lease: Lease, upkeep: Upkeep): Promise<Extension> {
  const { settings, signal, log } = upkeep;
  for (let wait = leastQuestion; ; wait = Math.min(wait * 2, settings.resendMax)) {
    const outcome = await regainedOnce(lease, upkeep);
    if (outcome === 'gone') return outcome;
    if (typeof outcome === 'object' && 'message' in outcome) return withAck(lease, outcome);
    const left = lease.times.expire - sinceBoot();
    if (left <= 0) return 'expired';
    log(`${leaseId(lease)}: ${describeFailure(outcome)}, for ${formatAddress(lease.ack.yourAddress)}`);
    await pause(Math.min(wait, left), signal);
    if (signal.aborted) return 'gone';
  }
}

async function regainedOnce(lease: Lease, { settings, signal }: Upkeep): Promise<Acquired | 'gone'> {
  using container = openIfThere(settings.hostPrefix + lease.netns, lease.interface);
  if (container === undefined) return 'gone';
  const left = Math.max(lease.times.expire - sinceBoot(), leastQuestion);
  const limited = { ...settings, timeout: Math.min(left, settings.timeout) };
  return await acquireOnce(clientOf(lease, limited), container.netns, signal, lease.ack.yourAddress);
}

/** The client that holds a lease. */
export function clientOf(lease: Lease, settings: DaemonSettings): Client {
  return { clientId: clientId(lease), interface: lease.interface, options: lease.options, settings };
}

/** Some servers say less when they renew than when they gave. */
function withAck(lease: Lease, { message, fromMac, since }: Granted): Lease {
  const options = new Map([...lease.ack.options, ...message.options]);
  return { ...lease, ack: { ...message, options }, serverMac: fromMac, times: timesOf(message, since) };
}

/** As the reference: nothing is sent any more from an address that may be another's. */
function expire(lease: Lease, { settings, log }: Upkeep): void {
  const { name } = lease.interface;
  log(`${leaseId(lease)}: the lease has expired, setting interface ${name} down`);
  using container = openIfThere(settings.hostPrefix + lease.netns, lease.interface);
  if (container !== undefined) changeLink(container, name, { up: false });
}
