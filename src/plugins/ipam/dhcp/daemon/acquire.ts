/** Acquiring an address for as long as the daemon's flags say, and bringing the link up for it. */

import { getLink } from '../../../../kernel/rtnetlink/link.ts';
import { changeLink } from '../../../../kernel/rtnetlink/link-change.ts';
import type { Container } from '../../../../plugin/namespaces.ts';
import { acquireOnce, type Client, describeFailure, type Granted } from '../client.ts';
import { pause } from '../pause.ts';
import type { Log } from './log.ts';

/** How long is waited for a link that was set up to carry anything, in milliseconds; sent before, a frame may be lost. */
const carrierTimeout = 2000;

/** Sets the link up if it is down, and waits a moment until frames pass it. Throws NetlinkError. */
export async function ensureUp(container: Container, name: string, signal: AbortSignal): Promise<void> {
  if (getLink(container, name)?.flags.up === false) changeLink(container, name, { up: true });
  for (const end = performance.now() + carrierTimeout; performance.now() < end && !signal.aborted; ) {
    if (getLink(container, name)?.operState !== 'down') return;
    await pause(5, signal);
  }
}

/** The delays between attempts as the reference has them: four short ones, then RFC 2131's, in milliseconds. */
const shortDelays = 4;
const shortDelay = 2000;
const firstDelay = 4000;
const jitter = 1000;

/**
 * Attempts until one succeeds or the time is over. Throws an Error that says what became of the last attempt, the signal's reason,
 * SystemError.
 */
export async function acquire(
  client: Client,
  container: Container,
  {
    resendTimeout,
    signal,
    log,
  }: { readonly resendTimeout: number; readonly signal: AbortSignal; readonly log: Log },
): Promise<Granted> {
  const { name } = client.interface;
  await ensureUp(container, name, signal);
  const end = performance.now() + resendTimeout;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(resendTimeout)]);
  let problem = describeFailure('nobody');
  let delay = firstDelay;
  for (let attempt = 0; ; attempt++) {
    const outcome = await acquireOnce(client, container.netns, limited).catch((error: unknown) => {
      if (limited.aborted && !signal.aborted) return undefined;
      throw error;
    });
    signal.throwIfAborted();
    if (outcome !== undefined && typeof outcome === 'object' && 'message' in outcome) return outcome;
    if (outcome !== undefined) problem = describeFailure(outcome);
    const wait = (attempt < shortDelays ? shortDelay : delay) + (Math.random() * 2 - 1) * jitter;
    if (performance.now() + wait >= end) break;
    log(`${client.clientId}: ${problem}; once more in ${(wait / 1000).toFixed(1)} s`);
    await pause(wait, limited);
    if (attempt >= shortDelays) delay = Math.min(delay * 2, Math.max(client.settings.resendMax, firstDelay));
  }
  signal.throwIfAborted();
  throw new Error(`no DHCP lease on ${name} in ${resendTimeout / 1000} s: ${problem}`);
}
