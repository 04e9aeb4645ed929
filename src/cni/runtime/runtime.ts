import { CniError, messageOf } from '../error.ts';
import type { JsonObject } from '../json.ts';
import type { Attachment, ValidAttachment } from '../plugin.ts';
import { asUnavailable } from '../status.ts';
import { isAtLeast } from '../version.ts';
import { type AttachmentParameters, refuseWrongIds, refuseWrongParameters } from './attachment.ts';
import { createResultCache } from './cache.ts';
import type { CachedAttachment } from './cache-format.ts';
import { readCachedResult } from './cached-result.ts';
import { attachmentConfig, type Caller, callPlugin, namingPlugin, networkConfig } from './call.ts';
import { collectGarbage } from './gc.ts';
import type { NetworkConfigurationList } from './network.ts';
import { readPrintedResult } from './plugin-result.ts';
import { supportedVersions, type Validation, validateNetwork } from './versions.ts';

/** How a runtime works. */
export interface RuntimeOptions extends Caller {
  /** Where the results of ADD are kept; `/var/lib/cni`, libcni's place, if not given. */
  readonly cacheDir?: string;
}

/**
 * The operations on networks, as libcni has them. Every one throws a `CniError`; one that a plugin caused names the
 * plugin and has its code. Its user runs no two operations of one container at once, and `gc` alone (SPEC section 3,
 * "Lifecycle & Ordering").
 */
export interface Runtime {
  /**
   * Attaches a container: the plugins in their order, each with the result of the one before. Returns the last
   * one's result, in the version that it chose, and keeps it. When a plugin fails, those before it have done their
   * work and nothing is kept: call `del`, as for every container (SPEC section 2, ADD).
   */
  add(network: NetworkConfigurationList, attachment: AttachmentParameters): Promise<JsonObject>;
  /**
   * Detaches a container: the plugins in reverse, each with the kept result where there is one (none before 0.4.0).
   * Stops at the first plugin that fails, and keeps the result then, so that it can be called again.
   */
  del(network: NetworkConfigurationList, attachment: AttachmentParameters): Promise<void>;
  /**
   * Compares what is there with the kept result: the plugins in their order. Does nothing where the network says
   * `disableCheck`. Throws code 1 before 0.4.0.
   */
  check(network: NetworkConfigurationList, attachment: AttachmentParameters): Promise<void>;
  /**
   * Removes what containers that are gone left behind: every kept attachment of the network that is not valid is
   * detached, then every plugin collects (from 1.1.0 on). Goes on after failures, which become one error. Does
   * nothing where the network says `disableGC`.
   */
  gc(network: NetworkConfigurationList, validAttachments: readonly ValidAttachment[]): Promise<void>;
  /** Whether ADD could work now. Throws the first plugin's error: code 50 it could not, 51 only with less. Nothing is asked before 1.1.0. */
  status(network: NetworkConfigurationList): Promise<void>;
  /** Whether every plugin is there and supports the network's version. Does not throw. */
  validate(network: NetworkConfigurationList): Promise<Validation>;
  /** The versions that a plugin supports, oldest first as a rule. */
  versions(type: string): Promise<readonly string[]>;
  /** The kept result of ADD in the network's version; undefined if none is kept. */
  cachedResult(network: NetworkConfigurationList, attachment: AttachmentParameters): JsonObject | undefined;
  /** Everything kept of an attachment, the configuration it was made with among it; undefined if nothing is. */
  cachedAttachment(network: string, attachment: AttachmentParameters): CachedAttachment | undefined;
  /** Every attachment that is kept, of one container if it is given. What cannot be read is left out. */
  cachedAttachments(containerId?: string): readonly CachedAttachment[];
}

/** Makes a runtime. Throws a `CniError` (4) if a folder of `pluginPath` cannot be one of `CNI_PATH`. */
export function createRuntime({ cacheDir = '/var/lib/cni', ...caller }: RuntimeOptions): Runtime {
  refuseWrongFolders(caller.pluginPath);
  const cache = createResultCache(cacheDir);

  async function add(network: NetworkConfigurationList, attachment: AttachmentParameters) {
    const key = keyOf(network.name, attachment);
    refuseWrongParameters(attachment);
    const [first, ...others] = network.plugins;
    const call = async (plugin: typeof first, previous?: JsonObject) => {
      const config = attachmentConfig(network, plugin, attachment, previous);
      const stdout = await callPlugin(caller, { type: plugin.type, command: 'ADD', attachment, config });
      return namingPlugin(plugin.type, () => readPrintedResult(stdout, network.cniVersion));
    };
    let result = await call(first);
    for (const plugin of others) result = await call(plugin, result);
    const { netns = '', args = [], capabilityArgs = {} } = attachment;
    try {
      cache.write({ ...key, netns, args, capabilityArgs, config: network.bytes, result });
    } catch (error) {
      throw new CniError('ioFailure', `cannot keep the result in ${cache.path(key)}: ${messageOf(error)}`);
    }
    return result;
  }

  async function del(network: NetworkConfigurationList, attachment: AttachmentParameters) {
    const key = keyOf(network.name, attachment);
    const previous = isAtLeast(network.cniVersion, '0.4.0') ? usableResult(network, key) : undefined;
    for (const plugin of network.plugins.toReversed()) {
      const config = attachmentConfig(network, plugin, attachment, previous);
      await callPlugin(caller, { type: plugin.type, command: 'DEL', attachment, config });
    }
    try {
      cache.remove(key);
    } catch (error) {
      // The container is detached: an entry that stays makes a later GC say so again, nothing else.
      caller.writeStderr?.(`${cache.path(key)}: cannot be removed: ${messageOf(error)}\n`);
    }
  }

  /** DEL does without a result that cannot be used, so that it finishes. */
  function usableResult(network: NetworkConfigurationList, key: Attachment): JsonObject | undefined {
    try {
      return readCachedResult(cache, key, network.cniVersion);
    } catch {
      return undefined;
    }
  }

  async function check(network: NetworkConfigurationList, attachment: AttachmentParameters) {
    const key = keyOf(network.name, attachment);
    refuseWrongParameters(attachment);
    if (!isAtLeast(network.cniVersion, '0.4.0')) {
      throw new CniError(
        'incompatibleVersion',
        `CHECK needs CNI version 0.4.0 or newer, network "${network.name}" has ${network.cniVersion}`,
      );
    }
    if (network.disableCheck) return;
    const previous = readCachedResult(cache, key, network.cniVersion);
    for (const plugin of network.plugins) {
      const config = attachmentConfig(network, plugin, attachment, previous);
      await callPlugin(caller, { type: plugin.type, command: 'CHECK', attachment, config });
    }
  }

  async function status(network: NetworkConfigurationList) {
    if (!isAtLeast(network.cniVersion, '1.1.0')) return;
    await asUnavailable(async () => {
      for (const plugin of network.plugins) {
        const config = networkConfig(network, plugin);
        await callPlugin(caller, { type: plugin.type, command: 'STATUS', config });
      }
    });
  }

  return {
    add,
    del,
    check,
    gc: (network, valid) =>
      collectGarbage({ caller, list: cache.list, del: (stale) => del(network, stale) }, network, valid),
    status,
    validate: (network) => validateNetwork(caller, network),
    versions: (type) => supportedVersions(caller, type),
    cachedResult: (network, attachment) =>
      readCachedResult(cache, keyOf(network.name, attachment), network.cniVersion),
    cachedAttachment(network, attachment) {
      const reading = cache.read(keyOf(network, attachment));
      return reading.kind === 'entry' ? reading.entry : undefined;
    },
    cachedAttachments: (containerId) =>
      cache.list().filter((cached) => containerId === undefined || cached.containerId === containerId),
  };
}

/** The attachment's name in the cache, of ids that are right. */
function keyOf(network: string, attachment: AttachmentParameters): Attachment {
  refuseWrongIds(network, attachment);
  return { network, containerId: attachment.containerId, ifname: attachment.ifname };
}

function refuseWrongFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    if (/^\/[^:\0]*$/.test(folder)) continue;
    throw new CniError(
      'invalidEnvironment',
      `plugins cannot be looked for in ${JSON.stringify(folder)}: it must be an absolute path without ":"`,
    );
  }
}
