import { validAttachmentsKeys } from '../config.ts';
import { CniError, messageOf, toCniError } from '../error.ts';
import type { ValidAttachment } from '../plugin.ts';
import { isAtLeast } from '../version.ts';
import type { CachedAttachment } from './cache-format.ts';
import { type Caller, callPlugin, networkConfig } from './call.ts';
import type { NetworkConfigurationList } from './network.ts';

/** What GC needs of the runtime. */
export interface GcTools {
  readonly caller: Caller;
  /** Every attachment that is kept, of any network. */
  list(): readonly CachedAttachment[];
  del(stale: CachedAttachment): Promise<void>;
}

/**
 * DEL for every attachment of the network that is kept and not valid any more, then GC for every plugin, from 1.1.0
 * on (`GCNetworkList` in libcni/api.go). Goes on after failures, and throws them all as one `CniError` at the end.
 */
export async function collectGarbage(
  { caller, list, del }: GcTools,
  network: NetworkConfigurationList,
  valid: readonly ValidAttachment[],
): Promise<void> {
  if (network.disableGC) return;
  const failures: CniError[] = [];
  const attempt = async (run: () => Promise<unknown>, what = '') => {
    try {
      await run();
    } catch (error) {
      const { code, msg, details } = toCniError(error);
      failures.push(new CniError(code, what + msg, details));
    }
  };
  for (const cached of list()) {
    if (cached.network !== network.name || isListed(cached, valid)) continue;
    await attempt(() => del(cached), `DEL of stale container ${cached.containerId}, ${cached.ifname}: `);
  }
  if (isAtLeast(network.cniVersion, '1.1.0')) {
    const attachments = valid.map(({ containerId, ifname }) => ({ containerID: containerId, ifname }));
    const more = Object.fromEntries(validAttachmentsKeys.map((key) => [key, attachments]));
    for (const plugin of network.plugins) {
      const config = networkConfig(network, plugin, more);
      await attempt(() => callPlugin(caller, { type: plugin.type, command: 'GC', config }));
    }
  }
  const [first, ...others] = failures;
  if (first === undefined) return;
  const details = [first.details, ...others.map(messageOf)].filter((text) => text !== '');
  throw new CniError(first.code, first.msg, details.join('; '));
}

function isListed(attachment: ValidAttachment, valid: readonly ValidAttachment[]): boolean {
  return valid.some(
    ({ containerId, ifname }) => containerId === attachment.containerId && ifname === attachment.ifname,
  );
}
